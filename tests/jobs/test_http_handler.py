"""The HTTP handler, with in-memory ports."""

import json
from typing import Any

import httpx
import pytest

from contract.progress import Phase, Progress
from jobs.job import JobStatus, Outcome
from tests.jobs.fakes import DETAILS, FAILURE, INVOCATION, NOW, InMemoryBackend, a_job, a_result
from tests.jobs.http_calls import call, post, send


def test_submit_returns_202_with_links_uris_seeds_and_the_resolved_request(deployed: InMemoryBackend) -> None:
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
    assert (deployed.jobs.jobs, deployed.documents.requests) == ({}, {})


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
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"], problem["retryable"]) == (503, "endpoint_unavailable", True)


def test_an_unexpected_error_is_a_500_without_internal_details(deployed: InMemoryBackend) -> None:
    deployed.jobs.create = lambda job: 1 / 0
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"]) == (500, "internal")
    assert "division" not in json.dumps(problem)


def test_a_running_job_has_phase_and_progress(deployed: InMemoryBackend) -> None:
    job_id = post({"prompt": "x"})[2]["id"]
    deployed.documents.progress[job_id] = Progress(phase=Phase.DENOISING, step=4, total_steps=30)
    status, headers, job = call("GET", f"/v1/jobs/{job_id}")
    assert (status, job["status"], job["phase"]) == (200, "running", "denoising")
    assert (job["progress"]["step"], job["progress"]["total_steps"]) == (4, 30)
    assert headers["retry-after"] == "2"


def test_a_job_with_a_cancellation_request_has_the_phase_canceling(deployed: InMemoryBackend) -> None:
    cancel = post({"prompt": "x"})[2]["links"]["cancel"]
    for progress in (None, Progress(phase=Phase.DENOISING, step=4, total_steps=30)):
        if progress is not None:
            deployed.documents.progress[cancel.split("/")[3]] = progress
        status, headers, job = call("POST", cancel)
        assert (status, job["phase"], job["links"]["cancel"]) == (202, "canceling", cancel)
        assert job["status"] == ("running" if progress else "queued")
        assert headers["retry-after"] == "2"
        assert call("GET", job["links"]["self"])[2] == job


def test_canceling_a_canceled_job_is_a_409(deployed: InMemoryBackend) -> None:
    links = post({"prompt": "x"})[2]["links"]
    job_id = links["self"].split("/")[3]
    deployed.jobs.finish(job_id, Outcome(status=JobStatus.CANCELED), NOW)
    view = call("GET", links["self"])[2]
    assert (view["status"], view["phase"], view["error"]) == ("canceled", None, None)
    assert view["links"] == {"self": links["self"], "cancel": None}
    status, headers, problem = call("POST", links["cancel"])
    assert (status, problem["code"], problem["retryable"]) == (409, "already_terminal", False)
    assert headers["content-type"] == "application/problem+json"


def test_canceling_an_unknown_job_is_a_404(deployed: InMemoryBackend) -> None:
    status, _, problem = call("POST", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel")
    assert (status, problem["code"]) == (404, "job_not_found")


def test_a_succeeded_job_has_images_with_presigned_links(deployed: InMemoryBackend) -> None:
    job = a_job(count=2)
    deployed.jobs.create(job)
    images = a_result(job.generation).images
    deployed.jobs.finish(job.id, Outcome(status=JobStatus.SUCCEEDED, images=images, result=DETAILS), NOW)
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


def test_a_failed_job_has_its_error(deployed: InMemoryBackend) -> None:
    job = a_job()
    deployed.jobs.create(job)
    deployed.jobs.finish(job.id, Outcome(status=JobStatus.FAILED, error=FAILURE), NOW)
    assert call("GET", f"/v1/jobs/{job.id}")[2]["error"]["code"] == "out_of_memory"


def test_following_an_unknown_job_is_a_404(deployed: InMemoryBackend) -> None:
    status, _, problem = call("GET", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (status, problem["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/nothing"), ("OPTIONS", "/v1"), ("GET", "/")]
)
def test_an_unknown_route_is_a_404(deployed: InMemoryBackend, method: str, path: str) -> None:
    status, headers, problem = call(method, path)
    assert (status, problem["code"]) == (404, "route_not_found")
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/jobs", "POST, OPTIONS"),
        ("/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET, HEAD, OPTIONS"),
        ("/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel", "POST, OPTIONS"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/v1/samplers", "GET, HEAD, OPTIONS"),
        ("/v1/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_of_a_path_is_a_405_that_lists_its_methods(
    deployed: InMemoryBackend, path: str, allowed: str
) -> None:
    options = send("OPTIONS", path)
    assert (options.status, options.headers["allow"], options.text) == (204, allowed, "")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {*allowed.split(", ")}:
        status, headers, problem = call(method, path)
        assert (status, problem["code"], headers["allow"]) == (405, "method_not_allowed", allowed)
        assert headers["content-type"] == "application/problem+json"
        assert problem["detail"] == f"The methods of this path are {allowed}."


def test_head_is_answered_like_get_without_a_body(deployed: InMemoryBackend) -> None:
    for path in ("/v1/models", "/v1/nothing", "/v1/jobs"):
        head, get = send("HEAD", path), send("GET", path)
        assert (head.status, head.headers, head.text) == (get.status, get.headers, "")


def test_models_and_samplers_are_listed(deployed: InMemoryBackend) -> None:
    models = call("GET", "/v1/models")[2]["data"]
    assert [(m["name"], m["is_default"]) for m in models] == [("demo", True), ("other", False)]
    assert models[0]["limits"]["max_size"] == 768
    samplers = call("GET", "/v1/samplers")[2]["data"]
    assert (samplers[0]["name"], samplers[0]["label"]) == ("euler", "Euler")
    assert "EulerDiscreteScheduler" in samplers[0]["aliases"]
