"""Both Lambda handlers, with in-memory ports."""

import importlib
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from contract.progress import Phase, Progress
from jobs import wiring
from jobs.completion import CompletionService
from jobs.job import JobStatus, Outcome
from tests.conftest import ROOT
from tests.jobs.fakes import DETAILS, FAILURE, INVOCATION, NOW, InMemoryBackend, a_job, a_result

CONTEXT = SimpleNamespace(
    function_name="jobs",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:jobs",
    aws_request_id="request-1",
)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> InMemoryBackend:
    backend = InMemoryBackend()
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "jobs")
    monkeypatch.setattr(wiring, "job_service", lambda: backend.service)
    completion_service = CompletionService(jobs=backend.jobs, documents=backend.documents)
    monkeypatch.setattr(wiring, "completion_service", lambda: completion_service)
    return backend


def call(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    event = {
        "httpMethod": method,
        "path": path,
        "resource": "/v1/{proxy+}",
        "headers": headers or None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "api-1", "stage": "dev", "httpMethod": method, "path": f"/dev{path}"},
        "body": body,
        "isBase64Encoded": False,
    }
    response = importlib.import_module("jobs.http_handler").handler(event, CONTEXT)
    received = {name.lower(): values[0] for name, values in response["multiValueHeaders"].items()}
    return response["statusCode"], received, json.loads(response["body"])


def post(document: Any) -> tuple[int, dict[str, str], Any]:
    return call("POST", "/v1/jobs", json.dumps(document))


def test_submit_returns_202_with_links_uris_seeds_and_the_resolved_request(backend: InMemoryBackend) -> None:
    status, headers, job = post({"prompt": "x", "count": 2, "seed": 5})
    assert status == 202
    assert job["links"] == {"self": f"/v1/jobs/{job['id']}", "cancel": f"/v1/jobs/{job['id']}/cancel"}
    request_url = httpx.URL("https://id.execute-api.us-east-1.amazonaws.com/dev/v1/jobs")
    assert request_url.join(headers["location"]).path == f"/dev/v1/jobs/{job['id']}"
    assert headers["retry-after"] == "2"
    assert job["status"] == "queued"
    assert job["output_s3_uris"] == [f"s3://data/outputs/{job['id']}/{i}.png" for i in (0, 1)]
    assert job["output_location"] == INVOCATION.output_location
    assert job["seeds"] == [5, 6]
    assert job["request"]["steps"] == 30
    assert job["created_at"] == "2026-03-01T12:30:15.250000Z"
    assert job["expires_at"] == "2026-03-31T12:30:15Z"
    assert (job["finished_at"], job["result"]) == (None, None)


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
def test_the_body_is_parsed_as_json_for_any_content_type(backend: InMemoryBackend, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert call("POST", "/v1/jobs", '{"prompt": "x"}', **headers)[0] == 202


@pytest.mark.parametrize("body", [None, "", "nonsense", "[]", "5", '"x"', "null", '{"prompt": "x"'])
def test_a_body_that_is_not_a_json_object_is_malformed(backend: InMemoryBackend, body: str | None) -> None:
    status, headers, problem = call("POST", "/v1/jobs", body)
    assert (status, problem["status"], problem["code"]) == (400, 400, "malformed_request")
    assert headers["content-type"] == "application/problem+json"
    assert backend.jobs.jobs == {}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "#/prompt"),
        ({"prompt": "x", "colour": "red"}, "#/colour"),
        ({"prompt": "x", "sampler": "none"}, "#/sampler"),
        ({"prompt": "x", "width": 100}, "#/width"),
        ({"prompt": "x", "width": 4096}, "#/width"),
        ({"prompt": "x", "strength": 0.5}, "#/strength"),
        ({"prompt": "x", "input_image": "s3://elsewhere/inputs/a.png"}, "#/input_image"),
        ({"prompt": "x", "input_image": "data:image/png;base64,AAA"}, "#/input_image"),
        (
            {"prompt": "x", "controlnets": [{"type": "canny", "image": "data:image/png;base64,"}]},
            "#/controlnets/0/image",
        ),
        ({"prompt": "\ud800"}, "#/prompt"),
    ],
)
def test_an_invalid_request_names_the_field_and_stores_nothing(
    backend: InMemoryBackend, document: Any, pointer: str
) -> None:
    status, headers, problem = post(document)
    assert (status, problem["code"]) == (422, "validation_failed")
    assert headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert problem["request_id"] == "api-1"
    assert (backend.jobs.jobs, backend.documents.requests) == ({}, {})


def test_unknown_fields_and_values_beyond_the_models_limits_are_reported_together(
    backend: InMemoryBackend,
) -> None:
    status, _, problem = post({"prompt": "x", "promt": "y", "width": 4096, "loras": ["moon"]})
    assert (status, problem["code"]) == (422, "validation_failed")
    errors = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert set(errors) == {"#/promt", "#/width", "#/loras/0"}
    assert errors["#/promt"] == "unknown field; did you mean prompt?"
    assert errors["#/loras/0"] == 'must be an object such as {"name": "moon", "weight": 1.0}'
    assert backend.jobs.jobs == {}


def test_an_unknown_model_is_a_404_that_lists_the_models(backend: InMemoryBackend) -> None:
    status, _, problem = post({"prompt": "x", "model": "unknown"})
    assert (status, problem["code"]) == (404, "model_not_found")
    assert "use one of demo, other" in problem["detail"]


def test_an_unavailable_endpoint_is_a_retryable_503(backend: InMemoryBackend) -> None:
    backend.endpoints.unavailable = True
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"], problem["retryable"]) == (503, "endpoint_unavailable", True)


def test_an_unexpected_error_is_a_500_without_internal_details(backend: InMemoryBackend) -> None:
    backend.jobs.create = lambda job: 1 / 0
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"]) == (500, "internal")
    assert "division" not in json.dumps(problem)


def test_a_running_job_has_phase_and_progress(backend: InMemoryBackend) -> None:
    job_id = post({"prompt": "x"})[2]["id"]
    backend.documents.progress[job_id] = Progress(phase=Phase.DENOISING, step=4, total_steps=30)
    status, headers, job = call("GET", f"/v1/jobs/{job_id}")
    assert (status, job["status"], job["phase"]) == (200, "running", "denoising")
    assert (job["progress"]["step"], job["progress"]["total_steps"]) == (4, 30)
    assert headers["retry-after"] == "2"


def test_a_job_with_a_cancellation_request_has_the_phase_canceling(backend: InMemoryBackend) -> None:
    cancel = post({"prompt": "x"})[2]["links"]["cancel"]
    for progress in (None, Progress(phase=Phase.DENOISING, step=4, total_steps=30)):
        if progress is not None:
            backend.documents.progress[cancel.split("/")[3]] = progress
        status, headers, job = call("POST", cancel)
        assert (status, job["phase"], job["links"]["cancel"]) == (202, "canceling", cancel)
        assert job["status"] == ("running" if progress else "queued")
        assert headers["retry-after"] == "2"
        assert call("GET", job["links"]["self"])[2] == job


def test_canceling_a_canceled_job_is_a_409(backend: InMemoryBackend) -> None:
    links = post({"prompt": "x"})[2]["links"]
    job_id = links["self"].split("/")[3]
    backend.jobs.finish(job_id, Outcome(status=JobStatus.CANCELED), NOW)
    view = call("GET", links["self"])[2]
    assert (view["status"], view["phase"], view["error"]) == ("canceled", None, None)
    assert view["links"] == {"self": links["self"], "cancel": None}
    status, headers, problem = call("POST", links["cancel"])
    assert (status, problem["code"], problem["retryable"]) == (409, "already_terminal", False)
    assert headers["content-type"] == "application/problem+json"


def test_canceling_an_unknown_job_is_a_404(backend: InMemoryBackend) -> None:
    status, _, problem = call("POST", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel")
    assert (status, problem["code"]) == (404, "job_not_found")


def test_a_succeeded_job_has_images_with_presigned_links(backend: InMemoryBackend) -> None:
    job = a_job(count=2)
    backend.jobs.create(job)
    images = a_result(job.generation).images
    backend.jobs.finish(job.id, Outcome(status=JobStatus.SUCCEEDED, images=images, result=DETAILS), NOW)
    status, headers, view = call("GET", f"/v1/jobs/{job.id}")
    assert (status, view["status"], view["phase"]) == (200, "succeeded", None)
    assert [image["s3_uri"] for image in view["images"]] == view["output_s3_uris"]
    assert view["images"][0]["url"] == f"https://signed/data/outputs/{job.id}/0.png"
    assert view["finished_at"] == "2026-03-01T12:30:15.250000Z"
    assert view["result"] == {
        "batch_size": 2,
        "revision": "revision-1",
        "fallbacks": ["VAE tiling was enabled."],
        "safety": {"mode": "flag", "detector": "detector-1"},
        "durations_s": {"denoise": 1.5},
        "versions": {"diffusers": "1"},
    }
    assert "retry-after" not in headers


def test_a_failed_job_has_its_error(backend: InMemoryBackend) -> None:
    job = a_job()
    backend.jobs.create(job)
    backend.jobs.finish(job.id, Outcome(status=JobStatus.FAILED, error=FAILURE), NOW)
    assert call("GET", f"/v1/jobs/{job.id}")[2]["error"]["code"] == "out_of_memory"


def test_following_an_unknown_job_is_a_404(backend: InMemoryBackend) -> None:
    status, _, problem = call("GET", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (status, problem["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/models"), ("GET", "/")])
def test_an_unknown_route_is_a_404(backend: InMemoryBackend, method: str, path: str) -> None:
    status, headers, problem = call(method, path)
    assert (status, problem["code"]) == (404, "route_not_found")
    assert headers["content-type"] == "application/problem+json"


def test_models_and_samplers_are_listed(backend: InMemoryBackend) -> None:
    models = call("GET", "/v1/models")[2]["data"]
    assert [(m["name"], m["is_default"]) for m in models] == [("demo", True), ("other", False)]
    assert models[0]["limits"]["max_size"] == 768
    samplers = call("GET", "/v1/samplers")[2]["data"]
    assert (samplers[0]["name"], samplers[0]["label"]) == ("euler", "Euler")
    assert "EulerDiscreteScheduler" in samplers[0]["aliases"]


def test_the_committed_openapi_document_is_the_served_one(backend: InMemoryBackend) -> None:
    served = call("GET", "/v1/openapi.json")[2]
    assert served["openapi"].startswith("3.1")
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert committed == served


def handle_messages(*bodies: str) -> list[str]:
    records = [{"messageId": str(i), "body": body, "eventSource": "aws:sqs"} for i, body in enumerate(bodies)]
    response = importlib.import_module("jobs.completion_handler").handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def message_json(job_id: str, output: str = INVOCATION.output_location) -> str:
    return json.dumps(
        {
            "invocationStatus": "Completed",
            "eventTime": "2026-03-01T12:31:00Z",
            "inferenceId": job_id,
            "responseParameters": {"outputLocation": output},
        }
    )


def test_only_the_failed_messages_of_a_batch_return_to_the_queue(backend: InMemoryBackend) -> None:
    good, unreadable = a_job(), a_job()
    for job in (good, unreadable):
        backend.jobs.create(job)
    backend.documents.responses[INVOCATION.output_location] = a_result(good.generation)
    failures = handle_messages(
        message_json(unreadable.id, "s3://data/results/none"), message_json(good.id), "no json"
    )
    assert failures == ["0", "2"]
    assert backend.jobs.get(good.id).status is JobStatus.SUCCEEDED
    assert backend.jobs.get(unreadable.id).status is JobStatus.QUEUED


def test_messages_with_an_unknown_inference_id_are_dropped(backend: InMemoryBackend) -> None:
    good = a_job()
    backend.jobs.create(good)
    backend.documents.responses[INVOCATION.output_location] = a_result(good.generation)
    assert handle_messages(message_json("not-a-job"), message_json(good.id)) == []
