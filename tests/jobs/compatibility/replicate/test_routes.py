"""Replicate's operations, as its clients call them."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from contract.environment import WAIT_S
from contract.submission import WebhookEvent
from jobs import wiring
from jobs.compatibility.replicate.models import version_of
from jobs.lifecycle import JobStatus
from jobs.synchronous import SynchronousService
from tests.jobs.fakes import InMemoryBackend, a_result
from tests.jobs.http_calls import call, send

PATH = "/replicate/v1/predictions"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def create(deployed: InMemoryBackend, /, *, key: str = "default", **given: Any) -> dict[str, Any]:
    body = json.dumps({"version": "demo", "input": {"prompt": "a red circle", **given}})
    status, _, prediction = call("POST", PATH, body, key=key)
    assert status == 201
    assert prediction["id"] in deployed.jobs.jobs
    return dict(prediction)


def finish(deployed: InMemoryBackend, job_id: str) -> None:
    job = deployed.jobs.get(job_id)
    assert job.invocation is not None
    deployed.documents.responses[job.invocation.output_location] = a_result(job.generation)


def test_a_prediction_is_a_job(deployed: InMemoryBackend) -> None:
    prediction = create(deployed, num_outputs=2)
    assert (prediction["status"], prediction["output"]) == ("starting", None)
    assert prediction["input"]["num_outputs"] == 2
    status, _, job = call("GET", f"/v1/jobs/{prediction['id']}")
    assert (status, job["request"]["count"]) == (200, 2)
    finish(deployed, prediction["id"])
    _, _, finished = call("GET", f"{PATH}/{prediction['id']}")
    assert finished["status"] == "succeeded"
    assert len(finished["output"]) == 2


def test_the_path_may_name_the_model(deployed: InMemoryBackend) -> None:
    body = json.dumps({"input": {"prompt": "a"}})
    status, _, prediction = call("POST", "/replicate/v1/models/anyone/other/predictions", body)
    assert (status, prediction["version"]) == (201, version_of("other"))
    assert deployed.jobs.get(prediction["id"]).generation.model == "other"


def test_an_output_is_an_input_of_the_next_prediction(deployed: InMemoryBackend) -> None:
    first = create(deployed)
    finish(deployed, first["id"])
    _, _, finished = call("GET", f"{PATH}/{first['id']}")
    second = create(deployed, image=finished["output"][0])
    job = deployed.jobs.get(second["id"])
    assert job.generation.input_image == f"s3://data/outputs/{first['id']}/0.png"


def upload(files: Any, **data: str) -> tuple[int, Any]:
    sent = httpx.Request("POST", "http://api/", files=files, data=data)
    answer = send(
        "POST",
        "/replicate/v1/files",
        base64.b64encode(sent.read()).decode(),
        headers={"Content-Type": sent.headers["content-type"]},
        isBase64Encoded=True,
    )
    return answer.status, json.loads(answer.text)


def test_an_uploaded_file_is_an_input(deployed: InMemoryBackend) -> None:
    sent = {
        "content": ("buffer_1", PNG, "application/octet-stream"),
        "metadata": ("blob", b"{}", "application/json"),
    }
    status, file = upload(sent)
    assert (status, file["content_type"], file["size"], file["name"]) == (
        201,
        "image/png",
        len(PNG),
        "buffer_1",
    )
    assert [each.data for each in deployed.documents.images] == [PNG]
    prediction = create(deployed, image=file["urls"]["get"])
    stored = deployed.documents.images[0].location.uri
    assert deployed.jobs.get(prediction["id"]).generation.input_image == stored


@pytest.mark.parametrize(
    ("files", "data", "pointer"),
    [
        ({"content": ("a.txt", b"text")}, {}, "#/content"),
        ({"file": ("a.png", PNG)}, {}, "#/file"),
        ({"metadata": ("blob", b"{}")}, {}, "#/content"),
        ({"content": ("a.png", PNG)}, {"expires": "1"}, "#/expires"),
        ([("content", ("a.png", PNG)), ("content", ("b.png", PNG))], {}, "#/content"),
    ],
)
@pytest.mark.usefixtures("deployed")
def test_a_form_that_is_no_file_is_refused(files: Any, data: dict[str, str], pointer: str) -> None:
    status, problem = upload(files, **data)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.usefixtures("deployed")
def test_errors_name_the_clients_fields() -> None:
    body = json.dumps({"version": "demo", "input": {"prompt": "a", "num_inference_steps": 900}})
    status, headers, problem = call("POST", PATH, body)
    assert (status, headers["content-type"]) == (422, "application/problem+json")
    assert problem["title"] == "The request is not valid"
    assert problem["detail"] == "input/num_inference_steps: must be at most 150, not 900"


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", PATH, {"version": "missing", "input": {"prompt": "a"}}, "model_not_found"),
        (
            "POST",
            "/replicate/v1/models/anyone/missing/predictions",
            {"input": {"prompt": "a"}},
            "model_not_found",
        ),
        ("GET", f"{PATH}/01JNTXWQ8M6V3S0K2B9Z4RAHCE", None, "job_not_found"),
        ("GET", f"{PATH}/missing", None, "job_not_found"),
        ("POST", f"{PATH}/missing/cancel", None, "job_not_found"),
        ("GET", "/replicate/v1/models/anyone/missing", None, "model_not_found"),
        ("GET", "/replicate/v1/models/anyone/demo/versions/missing", None, "model_not_found"),
        ("GET", "/replicate/v1/trainings", None, "route_not_found"),
    ],
)
@pytest.mark.usefixtures("deployed")
def test_there_is_nothing_under_an_unknown_name(method: str, path: str, body: Any, code: str) -> None:
    status, _, problem = call(method, path, body and json.dumps(body))
    assert (status, problem["code"]) == (404, code)


def test_a_canceled_prediction_is_returned_however_often_it_is_canceled(deployed: InMemoryBackend) -> None:
    prediction = create(deployed)
    path = f"{PATH}/{prediction['id']}/cancel"
    assert call("POST", path)[0] == 200
    assert deployed.documents.canceled == {prediction["id"]}
    finish(deployed, prediction["id"])
    status, _, ended = call("POST", path)
    assert (status, ended["status"]) == (200, "succeeded")


def test_the_list_is_read_page_by_page(deployed: InMemoryBackend) -> None:
    created = [create(deployed)["id"] for _ in range(21)]
    _, _, first = call("GET", PATH)
    assert first["previous"] is None
    cursor = httpx.URL(first["next"]).params["cursor"]
    _, _, second = call("GET", PATH, query={"cursor": cursor})
    assert second["next"] is None
    listed = [each["id"] for each in (*first["results"], *second["results"])]
    assert listed == sorted(created, reverse=True)


@pytest.mark.usefixtures("deployed")
def test_another_cursor_or_parameter_is_refused() -> None:
    for query in ({"cursor": "x"}, {"created_after": "2026-01-01"}):
        status, _, problem = call("GET", PATH, query=query)
        assert (status, problem["code"]) == (422, "validation_failed")


@pytest.mark.usefixtures("deployed")
def test_predictions_of_others_do_not_exist(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import wiring

    private = InMemoryBackend(shared=False)
    monkeypatch.setattr(wiring, "job_service", lambda: private.service)
    prediction = create(private)
    assert call("GET", f"{PATH}/{prediction['id']}", key="other")[0] == 404


def test_a_webhook_is_called_for_the_events_of_the_job(deployed: InMemoryBackend) -> None:
    body = {
        "version": "demo",
        "input": {"prompt": "a"},
        "webhook": "https://example.com/hook",
        "webhook_events_filter": ["start", "output"],
    }
    status, _, prediction = call("POST", PATH, json.dumps(body))
    webhook = deployed.jobs.get(prediction["id"]).webhook
    assert (status, prediction["webhook"]) == (201, "https://example.com/hook")
    assert webhook is not None
    assert webhook.events == (WebhookEvent.STARTED, WebhookEvent.SUCCEEDED)
    assert webhook.prediction_address == prediction["urls"]["get"].partition("/predictions")[0]


@pytest.mark.usefixtures("deployed")
def test_models_have_one_version() -> None:
    _, _, models = call("GET", "/replicate/v1/models")
    assert [each["name"] for each in models["results"]] == ["demo", "other"]
    _, _, model = call("GET", "/replicate/v1/models/anyone/demo")
    assert (model["owner"], model["name"]) == ("anyone", "demo")
    _, _, versions = call("GET", "/replicate/v1/models/anyone/demo/versions")
    assert versions["results"] == [model["latest_version"]]
    path = f"/replicate/v1/models/anyone/demo/versions/{version_of('demo')}"
    assert call("GET", path)[2] == model["latest_version"]


class Waiting:
    """A clock that stands still except while a request waits."""

    def __init__(self, while_waiting: Callable[[], None]) -> None:
        self.now = 0.0
        self._while_waiting = while_waiting

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._while_waiting()


def create_and_wait(
    deployed: InMemoryBackend,
    monkeypatch: pytest.MonkeyPatch,
    prefer: str,
    *,
    then: Callable[[str], None],
) -> tuple[dict[str, Any], float]:
    """The prediction, and the seconds waited for it."""
    waiting = Waiting(lambda: then(*deployed.jobs.jobs))
    service = SynchronousService(service=deployed.service, clock=waiting.clock, sleep=waiting.sleep)
    monkeypatch.setattr(wiring, "synchronous_service", lambda: service)
    body = json.dumps({"version": "demo", "input": {"prompt": "a"}})
    status, _, prediction = call("POST", PATH, body, prefer=prefer)
    assert status == 201
    return prediction, waiting.now


def test_a_client_may_wait_for_the_end(deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def then(job_id: str) -> None:
        finish(deployed, job_id)

    prediction, _ = create_and_wait(deployed, monkeypatch, "wait", then=then)
    assert prediction["status"] == "succeeded"
    assert prediction["output"] == [f"https://signed/data/outputs/{prediction['id']}/0.png"]


@pytest.mark.parametrize(("prefer", "seconds"), [("wait=3", 3), ("wait", WAIT_S), ("wait=60", WAIT_S)])
def test_a_prediction_is_starting_after_a_wait_that_was_too_short(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch, prefer: str, seconds: int
) -> None:
    def then(job_id: str) -> None:
        deployed.jobs.jobs[job_id] = replace(deployed.jobs.get(job_id), status=JobStatus.RUNNING)

    prediction, waited = create_and_wait(deployed, monkeypatch, prefer, then=then)
    assert (prediction["status"], waited) == ("starting", seconds)
    assert call("GET", f"{PATH}/{prediction['id']}")[2]["status"] == "processing"
