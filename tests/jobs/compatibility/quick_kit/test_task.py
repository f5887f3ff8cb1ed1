"""Tasks and models, as the page reads them."""

from dataclasses import replace

import pytest

from jobs.compatibility.quick_kit.task import PageModelList, Task
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import DEMO, OTHER, InMemoryDocuments, a_job, a_result

link = InMemoryDocuments().presign


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING])
def test_an_unfinished_task_is_pending(status: JobStatus) -> None:
    view = Task.of(replace(a_job(), status=status), link)
    assert view.model_dump(mode="json") == {"status": "Pending", "images": []}


def test_a_completed_task_has_the_links_of_its_images() -> None:
    job = a_job(count=2)
    job = replace(job, status=JobStatus.SUCCEEDED, images=a_result(job.generation).images)
    view = Task.of(job, link).model_dump(mode="json")
    assert view["status"] == "completed"
    assert view["images"] == [f"https://signed/data/outputs/{job.id}/{i}.png" for i in (0, 1)]


def test_withheld_images_are_left_out() -> None:
    job = a_job()
    images = tuple(each.model_copy(update={"s3_uri": None}) for each in a_result(job.generation).images)
    assert Task.of(replace(job, status=JobStatus.SUCCEEDED, images=images), link).images == ()


def test_models_are_listed_under_their_names() -> None:
    assert PageModelList.of([DEMO, OTHER]).model_dump() == tuple(
        {"label": name, "sm_endpoint": name, "hit": "", "publish": True} for name in ("demo", "other")
    )
