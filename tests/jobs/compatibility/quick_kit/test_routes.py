"""The operations of the page's API, as the page calls them."""

import base64
import json
from typing import Any

import pytest

from contract.problem import ErrorCode, Problem
from jobs.completion import finish as end
from jobs.job import Outcome
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import InMemoryBackend, a_result
from tests.jobs.http_calls import call

PAGE = {
    "prompt": " a photo of an astronaut riding a horse on moon",
    "negative_prompt": "",
    "width": 768,
    "height": 512,
    "steps": 20,
    "sampler": "euler_a",
    "seed": 731234567890,
    "count": 1,
}
"""A request, as the page sends it."""

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def submit(body: dict[str, Any] = PAGE, **headers: str) -> tuple[int, Any]:
    status, _, answer = call("POST", "/async_hander", json.dumps(body), **headers)
    return status, answer


def task(task_id: str) -> tuple[int, Any]:
    status, _, answer = call("GET", f"/task/{task_id}")
    return status, answer


def ended(deployed: InMemoryBackend, outcome: Outcome) -> tuple[int, Any]:
    _, submitted = submit()
    end(deployed.changes, deployed.jobs.get(submitted["task_id"]), outcome, deployed.now)
    return task(submitted["task_id"])


def test_a_task_is_a_job_that_the_page_asks_for_until_it_is_completed(deployed: InMemoryBackend) -> None:
    status, submitted = submit()
    assert (status, [*submitted]) == (200, ["task_id"])
    job = deployed.jobs.get(submitted["task_id"])
    assert (job.generation.width, job.generation.steps) == (768, 20)
    assert task(job.id) == (200, {"status": "Pending", "images": []})
    assert job.invocation is not None
    deployed.documents.responses[job.invocation.output_location] = a_result(job.generation)
    images = [f"https://signed/data/outputs/{job.id}/0.png"]
    assert task(job.id) == (200, {"status": "completed", "images": images})


def test_the_header_names_the_model(deployed: InMemoryBackend) -> None:
    _, _, models = call("GET", "/config")
    assert [(each["label"], each["sm_endpoint"], each["hit"]) for each in models] == [
        ("demo", "demo", ""),
        ("other", "other", ""),
    ]
    _, submitted = submit(PAGE, **{"X-SM-Endpoint": models[1]["sm_endpoint"]})
    assert deployed.jobs.get(submitted["task_id"]).generation.model == "other"
    status, error = submit(PAGE, **{"X-SM-Endpoint": "AIGC-Quick-Kit-1"})
    assert (status, error["status"]) == (404, "Failed")
    assert error["msg"] == "There is no model 'AIGC-Quick-Kit-1'; use one of demo, other."


@pytest.mark.parametrize(
    ("outcome", "status", "msg"),
    [
        (Outcome(status=JobStatus.CANCELED), 409, "The task was canceled."),
        (
            Outcome(status=JobStatus.FAILED, error=Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width.")),
            507,
            "Reduce width.",
        ),
        (
            Outcome(status=JobStatus.EXPIRED, error=Problem.of(ErrorCode.EXPIRED, "Not in time.")),
            504,
            "Not in time.",
        ),
    ],
)
def test_a_task_without_images_is_an_error_at_which_the_page_stops(
    deployed: InMemoryBackend, outcome: Outcome, status: int, msg: str
) -> None:
    assert ended(deployed, outcome) == (status, {"status": "Failed", "msg": msg})


@pytest.mark.usefixtures("deployed")
def test_an_unknown_task_is_an_error_at_which_the_page_stops() -> None:
    for task_id in ("missing", "01JNTXWQ8M6V3S0K2B9Z4RAHCE"):
        status, error = task(task_id)
        assert (status, error["status"]) == (404, "Failed")


def test_the_page_asks_again_after_an_error_that_may_pass(deployed: InMemoryBackend) -> None:
    deployed.endpoints.unavailable = True
    status, error = submit()
    assert (status, error["status"]) == (503, "Pending")


def test_what_cannot_be_had_is_refused_by_its_name(deployed: InMemoryBackend) -> None:
    status, error = submit({**PAGE, "sdxl_refiner": "enable", "steps": 1000})
    assert (status, error["status"]) == (422, "Failed")
    assert error["msg"].startswith("sdxl_refiner: cannot be enabled")
    status, error = submit({**PAGE, "steps": 1000})
    assert (status, error["msg"]) == (422, "steps: must be at most 150, not 1000")
    assert not deployed.jobs.jobs


def test_an_uploaded_image_is_the_one_to_start_from(deployed: InMemoryBackend) -> None:
    upload = {"imageName": "a.png", "imageData": base64.b64encode(PNG).decode()}
    status, _, uploaded = call("POST", "/upload_handler", json.dumps(upload))
    assert status == 200
    assert uploaded["upload_file"].startswith("http")
    (stored,) = deployed.documents.images
    _, submitted = submit({**PAGE, "input_image": uploaded["upload_file"], "control_net_model": "canny"})
    (control_net,) = deployed.jobs.get(submitted["task_id"]).generation.controlnets
    assert control_net.image == stored.location.uri


@pytest.mark.usefixtures("deployed")
def test_errors_of_the_paths_have_the_pages_form() -> None:
    status, _, error = call("PUT", "/async_hander")
    assert (status, error) == (
        405,
        {"status": "Failed", "msg": "The methods of this path are OPTIONS, POST."},
    )
