"""Jobs in Replicate's form."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contract.generation import Generation
from contract.progress import Phase, Progress
from contract.submission import JobSubmission
from contract.validation import validate
from jobs.compatibility.replicate.input import PredictionInput, normalized
from jobs.compatibility.replicate.prediction import Prediction
from jobs.job import Job, JobSnapshot
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import DEMO, FAILURE, NOW, InMemoryDocuments, a_job, a_result

ADDRESS = "https://api.example.com/dev/replicate/v1"
PROGRESS_PATTERN = re.compile(r"^\s*(\d+)%\s*\|.+?\|\s*(\d+)\/(\d+)")
"""As the clients find the progress in a line."""


def view(job: Job, *, progress: Progress | None = None, has_waited: bool = False) -> Prediction:
    snapshot = JobSnapshot(job=job, progress=progress)
    return Prediction.of(snapshot, address=ADDRESS, link=InMemoryDocuments().presign, has_waited=has_waited)


def ended(status: JobStatus, **attributes: Any) -> Job:
    started_at, finished_at = NOW + timedelta(seconds=2), NOW + timedelta(seconds=5)
    return replace(
        a_job(), status=status, started_at=started_at, finished_at=finished_at, due_at=None, **attributes
    )


@pytest.mark.parametrize(
    ("status", "shown", "after_waiting"),
    [
        (JobStatus.QUEUED, "starting", "starting"),
        (JobStatus.RUNNING, "processing", "starting"),
        (JobStatus.SUCCEEDED, "succeeded", "succeeded"),
        (JobStatus.FAILED, "failed", "failed"),
        (JobStatus.CANCELED, "canceled", "canceled"),
        (JobStatus.EXPIRED, "failed", "failed"),
    ],
)
def test_the_status_is_replicates(status: JobStatus, shown: str, after_waiting: str) -> None:
    job = replace(a_job(), status=status)
    assert view(job).status == shown
    assert view(job, has_waited=True).status == after_waiting


def test_an_unfinished_prediction_has_neither_output_nor_metrics() -> None:
    prediction = view(a_job())
    assert (prediction.output, prediction.error, prediction.metrics) == (None, None, None)
    assert prediction.urls.get == f"{ADDRESS}/predictions/{prediction.id}"
    assert prediction.urls.cancel == f"{ADDRESS}/predictions/{prediction.id}/cancel"


def test_the_output_is_a_list_of_links() -> None:
    job = ended(JobStatus.SUCCEEDED)
    job = replace(job, images=a_result(job.generation).images)
    prediction = view(job)
    assert prediction.output == (f"https://signed/data/outputs/{job.id}/0.png",)
    assert prediction.metrics is not None
    assert (prediction.metrics.predict_time, prediction.metrics.total_time) == (3, 5)
    assert (prediction.model, prediction.source) == ("quick-kit/demo", "api")


def test_withheld_images_are_left_out_and_counted_in_the_logs() -> None:
    job = ended(JobStatus.SUCCEEDED)
    images = tuple(each.model_copy(update={"s3_uri": None}) for each in a_result(job.generation).images)
    prediction = view(replace(job, images=images))
    assert prediction.output == ()
    assert prediction.logs.endswith("Images that the NSFW filter withheld: 1")


def test_the_error_of_a_failed_prediction_is_a_text() -> None:
    assert view(ended(JobStatus.FAILED, error=FAILURE)).error == (
        "The images do not fit in GPU memory: Reduce width or height."
    )


@pytest.mark.parametrize(
    ("step", "found"), [(0, ("0", "0", "30")), (12, ("40", "12", "30")), (31, ("100", "30", "30"))]
)
def test_the_clients_find_the_progress_in_the_logs(step: int, found: tuple[str, str, str]) -> None:
    job = replace(a_job(), status=JobStatus.RUNNING)
    logs = view(job, progress=Progress(phase=Phase.DENOISING, step=step, total_steps=30)).logs
    match = PROGRESS_PATTERN.match(logs.splitlines()[-1])
    assert match is not None
    assert match.groups() == found
    assert logs.startswith("Seed: 7\n")


def test_progress_without_a_total_is_left_out() -> None:
    progress = Progress(phase=Phase.LOADING_MODEL, step=0, total_steps=0)
    assert view(replace(a_job(), status=JobStatus.RUNNING), progress=progress).logs == "Seed: 7"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"steps": 20, "count": 2, "output_format": "jpeg", "quality": 70},
        {"input_image": "s3://data/inputs/a.png", "mask_image": "s3://data/inputs/b.png", "strength": 0.5},
        {"hires": {"scale": 1.5}, "loras": [{"name": "moon", "weight": 0.5}], "sampler": "ddim"},
    ],
)
def test_the_input_generates_the_same_images_again(fields: dict[str, Any]) -> None:
    job = a_job(**fields)
    given = validate(PredictionInput, normalized(view(job).input, lambda _url: None))
    submission = JobSubmission.model_validate(given.own_fields())
    assert Generation.resolve(submission, DEMO, job_id=job.id, seed=0) == job.generation
