"""Operations on one job, with in-memory ports."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from contract.progress import Phase, Progress
from contract.submission import WebhookEvent
from jobs.job import Job, JobStatus, Webhook
from tests.jobs.fakes import (
    BUCKET,
    CALLER,
    DETAILS,
    FAILURE,
    NOW,
    InMemoryBackend,
    a_job,
    a_result,
    invocation_of,
)
from tests.jobs.http_calls import call, post

UNKNOWN = "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"


def store(backend: InMemoryBackend, job: Job, **changes: Any) -> str:
    """Stores a job with other attributes; returns its path."""
    backend.jobs.create(replace(job, **changes))
    return f"/v1/jobs/{job.id}"


def succeeded(job: Job) -> dict[str, Any]:
    """The attributes of a job that has succeeded."""
    return {
        "status": JobStatus.SUCCEEDED,
        "images": a_result(job.generation).images,
        "result": DETAILS,
        "due_at": None,
        "finished_at": NOW,
    }


def test_submit_returns_202_with_links_uris_seeds_and_the_resolved_request(deployed: InMemoryBackend) -> None:
    status, headers, job = post({"prompt": "x", "count": 2, "seed": 5})
    assert status == 202
    path = f"/v1/jobs/{job['id']}"
    assert job["links"] == {"self": path, "cancel": f"{path}/cancel", "delete": None}
    request_url = httpx.URL("https://id.execute-api.us-east-1.amazonaws.com/dev/v1/jobs")
    assert request_url.join(headers["location"]).path == f"/dev/v1/jobs/{job['id']}"
    assert headers["retry-after"] == "2"
    assert (job["status"], job["phase"], job["attempt"]) == ("queued", "queued", 1)
    assert job["output_s3_uris"] == [f"s3://data/outputs/{job['id']}/{i}.png" for i in (0, 1)]
    assert job["output_location"] == f"s3://data/results/{job['id']}-1"
    assert job["seeds"] == [5, 6]
    assert job["request"]["steps"] == 30
    assert job["created_at"] == "2026-03-01T12:30:15.250000Z"
    assert job["expires_at"] == "2026-03-31T12:30:15Z"
    assert (job["started_at"], job["finished_at"], job["result"], job["preview"]) == (None,) * 4
    assert (job["tags"], job["webhook_url"], job["webhook_events"]) == ([], None, [])


def test_a_job_has_the_tags_and_the_webhook_of_its_submission(deployed: InMemoryBackend) -> None:
    submission = {"tags": ["a", "b"], "webhook_url": "https://host/hook", "webhook_events": ["started"]}
    status, _, job = post({"prompt": "x", **submission})
    assert status == 202
    assert {name: job[name] for name in submission} == submission


def test_the_caller_is_the_owner_of_the_job(deployed: InMemoryBackend) -> None:
    job_id = post({"prompt": "x"}, key="default")[2]["id"]
    assert deployed.jobs.get(job_id).owner == CALLER.id


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
def test_the_body_is_parsed_as_json_for_any_content_type(
    deployed: InMemoryBackend, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    assert call("POST", "/v1/jobs", '{"prompt": "x"}', **headers)[0] == 202


@pytest.mark.parametrize("body", [None, "", "nonsense", "[]", "5", '"x"', "null", '{"prompt": "x"'])
def test_a_body_that_is_not_a_json_object_is_malformed(deployed: InMemoryBackend, body: str | None) -> None:
    status, headers, problem = call("POST", "/v1/jobs", body)
    assert (status, problem["status"], problem["code"]) == (400, 400, "malformed_request")
    assert headers["content-type"] == "application/problem+json"
    assert deployed.jobs.jobs == {}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "#/prompt"),
        ({"prompt": "x", "colour": "red"}, "#/colour"),
        ({"prompt": "x", "sampler": "none"}, "#/sampler"),
        ({"prompt": "x", "width": 100}, "#/width"),
        ({"prompt": "x", "width": 4096}, "#/width"),
        ({"prompt": "x", "strength": 0.5}, "#/strength"),
        ({"prompt": "x", "tags": [""]}, "#/tags/0"),
        ({"prompt": "x", "webhook_url": "http://host/"}, "#/webhook_url"),
        ({"prompt": "x", "output_s3_uri": "s3://elsewhere/a/"}, "#/output_s3_uri"),
        ({"prompt": "x", "input_image": "s3://elsewhere/inputs/a.png"}, "#/input_image"),
        ({"prompt": "x", "input_image": "data:image/png;base64,AAA"}, "#/input_image"),
        (
            {"prompt": "x", "controlnets": [{"type": "canny", "image": "data:image/png;base64,"}]},
            "#/controlnets/0/image",
        ),
    ],
)
def test_an_invalid_request_names_the_field_and_stores_nothing(
    deployed: InMemoryBackend, document: Any, pointer: str
) -> None:
    status, headers, problem = post(document)
    assert (status, problem["code"]) == (422, "validation_failed")
    assert headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert problem["request_id"] == "api-1"
    assert (deployed.jobs.jobs, deployed.endpoints.invocations) == ({}, [])


def test_unknown_fields_and_values_beyond_the_models_limits_are_reported_together(
    deployed: InMemoryBackend,
) -> None:
    status, _, problem = post({"prompt": "x", "promt": "y", "width": 4096, "loras": ["moon"]})
    assert (status, problem["code"]) == (422, "validation_failed")
    errors = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert set(errors) == {"#/promt", "#/width", "#/loras/0"}
    assert errors["#/promt"] == "unknown field; did you mean prompt?"
    assert errors["#/loras/0"] == 'must be an object such as {"name": "moon", "weight": 1.0}'
    assert deployed.jobs.jobs == {}


def test_an_unknown_model_is_a_404_that_lists_the_models(deployed: InMemoryBackend) -> None:
    status, _, problem = post({"prompt": "x", "model": "unknown"})
    assert (status, problem["code"]) == (404, "model_not_found")
    assert "use one of demo, other" in problem["detail"]


def test_an_unavailable_endpoint_is_a_retryable_503(deployed: InMemoryBackend) -> None:
    deployed.endpoints.unavailable = True
    status, headers, problem = post({"prompt": "x"})
    assert (status, problem["code"], problem["retryable"]) == (503, "endpoint_unavailable", True)
    assert headers["retry-after"] == "5"


def test_a_repeated_request_with_the_same_key_returns_the_same_job(deployed: InMemoryBackend) -> None:
    header = {"Idempotency-Key": "3f1c"}
    first = post({"prompt": "x"}, **header)
    second = post({"prompt": "x"}, **header)
    assert (first[0], second[0]) == (202, 202)
    assert first[2]["id"] == second[2]["id"]
    assert len(deployed.jobs.jobs) == 1
    assert post({"prompt": "x"}, key="other", **header)[2]["id"] != first[2]["id"]


def test_a_key_that_was_used_for_another_request_is_a_422(deployed: InMemoryBackend) -> None:
    post({"prompt": "x"}, **{"Idempotency-Key": "3f1c"})
    status, _, problem = post({"prompt": "y"}, **{"idempotency-key": "3f1c"})
    assert (status, problem["code"]) == (422, "idempotency_mismatch")


def test_a_request_whose_first_one_is_being_processed_is_a_retryable_409(deployed: InMemoryBackend) -> None:
    header = {"Idempotency-Key": "3f1c"}
    job_id = post({"prompt": "x"}, **header)[2]["id"]
    deployed.jobs.jobs[job_id] = replace(deployed.jobs.get(job_id), invocation=None)
    status, headers, problem = post({"prompt": "x"}, **header)
    assert (status, problem["code"], problem["retryable"]) == (409, "idempotency_in_flight", True)
    assert headers["retry-after"] == "1"


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb", "a\x00"])
def test_an_invalid_idempotency_key_is_named_and_nothing_is_stored(
    deployed: InMemoryBackend, key: str
) -> None:
    status, _, problem = post({"prompt": "x"}, **{"Idempotency-Key": key})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/Idempotency-Key")
    assert deployed.jobs.jobs == {}


def test_a_running_job_has_phase_progress_and_preview(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(preview=True), status=JobStatus.RUNNING, started_at=NOW)
    job_id = path.rpartition("/")[2]
    deployed.documents.progress[job_id] = Progress(
        phase=Phase.DENOISING, step=4, total_steps=30, preview_step=3
    )
    status, headers, job = call("GET", path)
    assert (status, job["status"], job["phase"]) == (200, "running", "denoising")
    assert (job["progress"]["step"], job["progress"]["total_steps"]) == (4, 30)
    assert job["preview"] == {
        "url": f"https://signed/{BUCKET}/previews/{job_id}.jpg",
        "expires_at": "2026-03-01T13:30:15.250000Z",
        "step": 3,
    }
    assert job["started_at"] == "2026-03-01T12:30:15.250000Z"
    assert headers["retry-after"] == "2"


def test_a_job_that_has_started_without_progress_yet_loads_its_model(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.RUNNING, started_at=NOW)
    assert call("GET", path)[2]["phase"] == "denoising"


def test_a_queued_job_has_its_position(deployed: InMemoryBackend) -> None:
    store(deployed, a_job())
    job = call("GET", store(deployed, a_job()))[2]
    assert (job["phase"], job["position"], job["eta_seconds"]) == ("queued", 2, None)


def test_a_job_without_an_instance_waits_for_capacity(deployed: InMemoryBackend) -> None:
    deployed.endpoints.count = 0
    _, headers, job = call("GET", store(deployed, a_job()))
    assert (job["phase"], headers["retry-after"]) == ("waking_capacity", "10")


def test_a_job_with_a_cancellation_request_has_the_phase_canceling(deployed: InMemoryBackend) -> None:
    cancel = post({"prompt": "x"})[2]["links"]["cancel"]
    for _ in range(2):
        status, headers, job = call("POST", cancel)
        assert (status, job["phase"], job["links"]["cancel"]) == (202, "canceling", cancel)
        assert headers["retry-after"] == "2"
        assert call("GET", job["links"]["self"])[2] == job


def test_canceling_a_canceled_job_is_a_409(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.CANCELED, due_at=None, finished_at=NOW)
    view = call("GET", path)[2]
    assert (view["status"], view["phase"], view["error"]) == ("canceled", None, None)
    assert view["links"] == {"self": path, "cancel": None, "delete": path}
    status, headers, problem = call("POST", f"{path}/cancel")
    assert (status, problem["code"], problem["retryable"]) == (409, "already_terminal", False)
    assert headers["content-type"] == "application/problem+json"


def test_a_succeeded_job_has_images_with_presigned_links(deployed: InMemoryBackend) -> None:
    job = a_job(count=2)
    path = store(deployed, job, **succeeded(job))
    status, headers, view = call("GET", path)
    assert (status, view["status"], view["phase"]) == (200, "succeeded", None)
    assert [image["s3_uri"] for image in view["images"]] == view["output_s3_uris"]
    assert view["images"][0]["url"] == f"https://signed/data/outputs/{job.id}/0.png"
    assert view["images"][0]["url_expires_at"] == "2026-03-01T13:30:15.250000Z"
    assert view["finished_at"] == "2026-03-01T12:30:15.250000Z"
    assert view["result"] == json.loads(DETAILS.model_dump_json())
    assert "retry-after" not in headers


def test_a_withheld_image_has_no_link(deployed: InMemoryBackend) -> None:
    job = a_job()
    attributes = succeeded(job)
    withheld = attributes["images"][0].model_copy(update={"s3_uri": None, "sha256": None})
    path = store(deployed, job, **attributes | {"images": (withheld,)})
    image = call("GET", path)[2]["images"][0]
    assert (image["url"], image["url_expires_at"]) == (None, None)


def test_images_at_another_prefix_are_named(deployed: InMemoryBackend) -> None:
    job = a_job(output_s3_uri="s3://team/images/a/")
    view = call("GET", store(deployed, job))[2]
    assert view["output_s3_uris"] == [f"s3://team/images/a/{job.id}/0.png"]


def test_a_failed_job_has_its_error(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.FAILED, error=FAILURE, due_at=None)
    assert call("GET", path)[2]["error"]["code"] == "out_of_memory"


def test_a_job_shows_its_webhook(deployed: InMemoryBackend) -> None:
    webhook = Webhook(url="https://host/hook", events=(WebhookEvent.FAILED,))
    view = call("GET", store(deployed, a_job(), webhook=webhook))[2]
    assert (view["webhook_url"], view["webhook_events"]) == ("https://host/hook", ["failed"])


def test_a_job_that_was_submitted_again_has_the_number_of_its_attempt(deployed: InMemoryBackend) -> None:
    job = a_job()
    path = store(deployed, job, attempt=2, invocation=invocation_of(job, 2))
    view = call("GET", path)[2]
    assert (view["attempt"], view["output_location"]) == (2, f"s3://data/results/{job.id}-2")


def test_deleting_a_job_returns_204_and_then_there_is_no_such_job(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.EXPIRED, due_at=None)
    status, headers, body = call("DELETE", call("GET", path)[2]["links"]["delete"])
    assert (status, body) == (204, None)
    assert "content-type" not in headers
    assert deployed.documents.deleted == [path.rpartition("/")[2]]
    for method in ("GET", "DELETE"):
        assert call(method, path)[2]["code"] == "job_not_found"


def test_deleting_an_unfinished_job_is_a_409(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job())
    status, _, problem = call("DELETE", path)
    assert (status, problem["code"]) == (409, "job_running")
    assert deployed.jobs.jobs


def test_a_deletion_that_s3_does_not_accept_is_a_retryable_503(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.FAILED, due_at=None)
    deployed.documents.unavailable = True
    status, headers, problem = call("DELETE", path)
    assert (status, problem["retryable"], headers["retry-after"]) == (503, True, "5")
    assert deployed.jobs.jobs


def patch(path: str, document: Any, key: str = "default") -> tuple[int, dict[str, str], Any]:
    return call("PATCH", path, json.dumps(document), key=key)


@pytest.mark.parametrize("job_status", JobStatus)
def test_the_tags_of_a_job_in_any_state_are_replaced(
    deployed: InMemoryBackend, job_status: JobStatus
) -> None:
    due_at = None if job_status.is_terminal else NOW
    path = store(deployed, a_job(), status=job_status, due_at=due_at, tags=("old", "kept"))
    for tags in (["kept", "favorite"], []):
        status, headers, job = patch(path, {"tags": tags})
        assert (status, job["tags"], job["status"]) == (200, tags, job_status.value)
        assert ("retry-after" in headers) is not job_status.is_terminal
        assert call("GET", path)[2] == job


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        ({}, "#/tags", "is required"),
        ({"tags": None}, "#/tags", "must be a list"),
        ({"tags": "favorite"}, "#/tags", "must be a list"),
        ({"tags": ["a b"]}, "#/tags/0", ""),
        ({"tags": ["a", "a"]}, "#/tags", "must not contain a value twice"),
        ({"tags": [str(number) for number in range(11)]}, "#/tags", ""),
        ({"tags": [], "tag": []}, "#/tag", "unknown field; did you mean tags?"),
        ({"tags": [], "prompt": "x"}, "#/prompt", "unknown field"),
    ],
)
def test_invalid_tags_are_named_and_change_nothing(
    deployed: InMemoryBackend, document: Any, pointer: str, detail: str
) -> None:
    path = store(deployed, a_job(), tags=("old",))
    status, _, problem = patch(path, document)
    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, [pointer])
    assert problem["errors"][0]["detail"].startswith(detail)
    assert call("GET", path)[2]["tags"] == ["old"]


@pytest.mark.parametrize("body", [None, "", "[]", '{"tags": []'])
def test_a_change_that_is_not_a_json_object_is_malformed(deployed: InMemoryBackend, body: str | None) -> None:
    assert call("PATCH", store(deployed, a_job()), body)[2]["code"] == "malformed_request"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PATCH", ""), ("POST", "/cancel"), ("DELETE", "")]
)
def test_an_unknown_job_is_a_404(deployed: InMemoryBackend, method: str, path: str) -> None:
    status, _, problem = call(method, UNKNOWN + path, '{"tags": []}')
    assert (status, problem["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PATCH", ""), ("POST", "/cancel"), ("DELETE", "")]
)
def test_the_job_of_another_caller_is_an_unknown_job(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    job_path = store(deployed, a_job())
    service = replace(deployed.service, shared=False)
    monkeypatch.setattr("jobs.wiring.job_service", lambda: service)
    assert call(method, job_path + path, '{"tags": ["x"]}', key="other")[2]["code"] == "job_not_found"
    assert call("GET", job_path, key="default")[0] == 200


def test_a_job_that_has_not_changed_is_a_304_without_a_body(deployed: InMemoryBackend) -> None:
    job = a_job()
    path = store(deployed, job, **succeeded(job))
    status, headers, _ = call("GET", path)
    tag = headers["etag"]
    assert (status, tag[0], tag[-1]) == (200, '"', '"')
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        status, headers, body = call("GET", path, **{"If-None-Match": header})
        assert (status, headers["etag"], body) == (304, tag, None)
    assert call("GET", path, **{"If-None-Match": '"other"'})[0] == 200


def test_an_unfinished_job_that_has_not_changed_is_a_304_with_retry_after(
    deployed: InMemoryBackend,
) -> None:
    path = store(deployed, a_job())
    tag = call("GET", path)[1]["etag"]
    status, headers, _ = call("GET", path, **{"If-None-Match": tag})
    assert (status, headers["retry-after"]) == (304, "2")


def test_a_changed_job_has_another_etag(deployed: InMemoryBackend) -> None:
    path = store(deployed, a_job(), status=JobStatus.RUNNING, started_at=NOW)
    tags = {call("GET", path)[1]["etag"]}
    for step in (1, 2):
        deployed.documents.progress[path.rpartition("/")[2]] = Progress(
            phase=Phase.DENOISING, step=step, total_steps=30
        )
        tags.add(call("GET", path)[1]["etag"])
    assert len(tags) == 3


def test_the_etag_of_a_job_with_links_changes_before_the_links_of_a_client_end(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = a_job()
    path = store(deployed, job, **succeeded(job))
    presign = deployed.documents.presign

    def tag_after(minutes: int) -> str:
        shift = timedelta(minutes=minutes)
        monkeypatch.setattr(
            deployed.documents,
            "presign",
            lambda uri: replace(presign(uri), expires_at=presign(uri).expires_at + shift),
        )
        return call("GET", path)[1]["etag"]

    assert tag_after(0) == tag_after(29)  # 12:30 and 12:59
    assert tag_after(29) != tag_after(30)
    failed = store(deployed, a_job(), status=JobStatus.FAILED, error=FAILURE, due_at=None)
    assert "images" in call("GET", failed)[2]
    tag = call("GET", failed)[1]["etag"]
    tag_after(300)
    assert call("GET", failed)[1]["etag"] == tag
