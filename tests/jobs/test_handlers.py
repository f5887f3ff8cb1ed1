"""Both functions as Lambda calls them, on fakes."""

import importlib
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from contract.progress import Phase, Progress
from jobs import wiring
from jobs.completion import Completion
from jobs.job import JobStatus, Outcome
from tests.conftest import ROOT
from tests.jobs.fakes import FAILURE, INVOCATION, NOW, World, a_job, a_result

CONTEXT = SimpleNamespace(
    function_name="jobs",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:jobs",
    aws_request_id="request-1",
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "jobs")
    monkeypatch.setattr(wiring, "job_service", lambda: world.service)
    monkeypatch.setattr(wiring, "completion", lambda: Completion(jobs=world.jobs, documents=world.documents))
    return world


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
    answer = importlib.import_module("jobs.http_handler").handler(event, CONTEXT)
    answered = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
    return answer["statusCode"], answered, json.loads(answer["body"])


def post(document: Any) -> tuple[int, dict[str, str], Any]:
    return call("POST", "/v1/jobs", json.dumps(document))


def test_a_job_is_accepted_with_everything_a_client_needs(world: World) -> None:
    status, headers, job = post({"prompt": "x", "count": 2, "seed": 5})
    assert status == 202
    assert job["links"] == {"self": f"/v1/jobs/{job['id']}", "cancel": f"/v1/jobs/{job['id']}/cancel"}
    asked = httpx.URL("https://id.execute-api.us-east-1.amazonaws.com/dev/v1/jobs")
    assert asked.join(headers["location"]).path == f"/dev/v1/jobs/{job['id']}"
    assert int(headers["retry-after"]) > 0
    assert job["status"] == "queued"
    assert job["output_s3_uris"] == [f"s3://data/outputs/{job['id']}/{i}.png" for i in (0, 1)]
    assert job["output_location"] == INVOCATION.output_location
    assert job["seeds"] == [5, 6]
    assert job["request"]["steps"] == 30
    assert job["created_at"] == "2026-03-01T12:30:15.250000Z"


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
def test_the_body_is_json_whatever_the_client_calls_it(world: World, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert call("POST", "/v1/jobs", '{"prompt": "x"}', **headers)[0] == 202


@pytest.mark.parametrize("body", [None, "", "nonsense", "[]", "5", '"x"', "null", '{"prompt": "x"'])
def test_a_body_that_is_no_json_object_is_malformed(world: World, body: str | None) -> None:
    status, headers, problem = call("POST", "/v1/jobs", body)
    assert (status, problem["status"], problem["code"]) == (400, 400, "malformed_request")
    assert headers["content-type"] == "application/problem+json"
    assert world.jobs.jobs == {}


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
    world: World, document: Any, pointer: str
) -> None:
    status, headers, problem = post(document)
    assert (status, problem["code"]) == (422, "validation_failed")
    assert headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert problem["request_id"] == "api-1"
    assert (world.jobs.jobs, world.documents.requests) == ({}, {})


def test_an_unknown_model_is_not_found(world: World) -> None:
    status, _, problem = post({"prompt": "x", "model": "nobody"})
    assert (status, problem["code"]) == (404, "model_not_found")
    assert "use one of demo, other" in problem["detail"]


def test_an_endpoint_that_takes_no_jobs_is_unavailable(world: World) -> None:
    world.endpoints.refuses = True
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"], problem["retryable"]) == (503, "endpoint_unavailable", True)


def test_a_surprise_is_an_internal_error_that_says_nothing_of_itself(world: World) -> None:
    world.jobs.create = lambda job: 1 / 0
    status, _, problem = post({"prompt": "x"})
    assert (status, problem["code"]) == (500, "internal")
    assert "division" not in json.dumps(problem)


def test_a_running_job_shows_its_phase_and_progress(world: World) -> None:
    job_id = post({"prompt": "x"})[2]["id"]
    world.documents.progress[job_id] = Progress(phase=Phase.DENOISING, step=4, total_steps=30)
    status, headers, job = call("GET", f"/v1/jobs/{job_id}")
    assert (status, job["status"], job["phase"]) == (200, "running", "denoising")
    assert (job["progress"]["step"], job["progress"]["total_steps"]) == (4, 30)
    assert "retry-after" in headers


def test_a_job_that_is_being_canceled_shows_it(world: World) -> None:
    cancel = post({"prompt": "x"})[2]["links"]["cancel"]
    for progress in (None, Progress(phase=Phase.DENOISING, step=4, total_steps=30)):
        if progress is not None:
            world.documents.progress[cancel.split("/")[3]] = progress
        status, headers, job = call("POST", cancel)
        assert (status, job["phase"], job["links"]["cancel"]) == (202, "canceling", cancel)
        assert job["status"] == ("running" if progress else "queued")
        assert "retry-after" in headers
        assert call("GET", job["links"]["self"])[2] == job


def test_a_canceled_job_is_not_canceled_again(world: World) -> None:
    links = post({"prompt": "x"})[2]["links"]
    job_id = links["self"].split("/")[3]
    world.jobs.settle(job_id, Outcome(status=JobStatus.CANCELED), NOW)
    view = call("GET", links["self"])[2]
    assert (view["status"], view["phase"], view["error"]) == ("canceled", None, None)
    assert view["links"] == {"self": links["self"], "cancel": None}
    status, headers, problem = call("POST", links["cancel"])
    assert (status, problem["code"], problem["retryable"]) == (409, "already_terminal", False)
    assert headers["content-type"] == "application/problem+json"


def test_an_unknown_job_is_not_canceled(world: World) -> None:
    status, _, problem = call("POST", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel")
    assert (status, problem["code"]) == (404, "job_not_found")


def test_a_finished_job_shows_its_images_with_links(world: World) -> None:
    job = a_job(count=2)
    world.jobs.create(job)
    images = a_result(job.generation).images
    world.jobs.settle(job.id, Outcome(status=JobStatus.SUCCEEDED, images=images), NOW)
    status, headers, view = call("GET", f"/v1/jobs/{job.id}")
    assert (status, view["status"], view["phase"]) == (200, "succeeded", None)
    assert [image["s3_uri"] for image in view["images"]] == view["output_s3_uris"]
    assert view["images"][0]["url"] == f"https://signed/data/outputs/{job.id}/0.png"
    assert "retry-after" not in headers


def test_a_failed_job_shows_why(world: World) -> None:
    job = a_job()
    world.jobs.create(job)
    world.jobs.settle(job.id, Outcome(status=JobStatus.FAILED, error=FAILURE), NOW)
    assert call("GET", f"/v1/jobs/{job.id}")[2]["error"]["code"] == "out_of_memory"


def test_an_unknown_job_is_not_found(world: World) -> None:
    status, _, problem = call("GET", "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (status, problem["code"]) == (404, "job_not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/models"), ("GET", "/")])
def test_an_unknown_route_is_not_found(world: World, method: str, path: str) -> None:
    status, headers, problem = call(method, path)
    assert (status, problem["code"]) == (404, "route_not_found")
    assert headers["content-type"] == "application/problem+json"


def test_models_and_samplers_say_what_can_be_asked_for(world: World) -> None:
    models = call("GET", "/v1/models")[2]["data"]
    assert [(m["name"], m["is_default"]) for m in models] == [("demo", True), ("other", False)]
    assert models[0]["limits"]["max_size"] == 768
    samplers = call("GET", "/v1/samplers")[2]["data"]
    assert (samplers[0]["name"], samplers[0]["label"]) == ("euler", "Euler")
    assert "EulerDiscreteScheduler" in samplers[0]["aliases"]


def test_the_committed_openapi_document_is_the_served_one(world: World) -> None:
    served = call("GET", "/v1/openapi.json")[2]
    assert served["openapi"].startswith("3.1")
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert committed == served, "run `make docs`"


def settle(*bodies: str) -> list[str]:
    records = [{"messageId": str(i), "body": body, "eventSource": "aws:sqs"} for i, body in enumerate(bodies)]
    answer = importlib.import_module("jobs.completion_handler").handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def a_notice(job_id: str, output: str = INVOCATION.output_location) -> str:
    return json.dumps(
        {
            "invocationStatus": "Completed",
            "eventTime": "2026-03-01T12:31:00Z",
            "inferenceId": job_id,
            "responseParameters": {"outputLocation": output},
        }
    )


def test_of_a_batch_only_what_failed_goes_back_to_the_queue(world: World) -> None:
    good, unreadable = a_job(), a_job()
    for job in (good, unreadable):
        world.jobs.create(job)
    world.documents.answers[INVOCATION.output_location] = a_result(good.generation)
    failures = settle(a_notice(unreadable.id, "s3://data/results/none"), a_notice(good.id), "no json")
    assert failures == ["0", "2"]
    assert world.jobs.get(good.id).status is JobStatus.SUCCEEDED
    assert world.jobs.get(unreadable.id).status is JobStatus.QUEUED


def test_notices_of_other_peoples_invocations_are_let_go(world: World) -> None:
    good = a_job()
    world.jobs.create(good)
    world.documents.answers[INVOCATION.output_location] = a_result(good.generation)
    assert settle(a_notice("not-a-job"), a_notice(good.id)) == []
