"""The operations of OpenAI's Images API."""

import base64
import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from contract.environment import WAIT_S
from contract.problem import ErrorCode, Problem
from contract.result import ImageResult
from jobs.completion import finish as end
from jobs.job import Outcome
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import InMemoryBackend, a_result
from tests.jobs.http_calls import call, send

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
FILE = b"the file"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def generate(**fields: Any) -> Answer:
    return Answer(*call("POST", GENERATIONS, json.dumps({"prompt": "a red circle", **fields})))


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename else ""
    return (
        f'--limit\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    )


def edit(*parts: bytes) -> Answer:
    body = base64.b64encode(b"".join(parts) + b"--limit--\r\n").decode()
    response = send(
        "POST",
        EDITS,
        body,
        isBase64Encoded=True,
        headers={"Content-Type": "multipart/form-data; boundary=limit"},
        requestContext={"requestId": "api-1", "identity": {"apiKeyId": "default"}},
    )
    return Answer(response.status, response.headers, json.loads(response.text))


@pytest.fixture
def finishing(deployed: InMemoryBackend) -> InMemoryBackend:
    """A backend whose jobs succeed while requests wait for them."""

    def finish() -> None:
        for job in [*deployed.jobs.jobs.values()]:
            if job.invocation is not None and not job.status.is_terminal:
                result = a_result(job.generation)
                deployed.documents.responses[job.invocation.output_location] = result
                deployed.documents.files |= {image.s3_uri or "": FILE for image in result.images}

    deployed.on_sleep = finish
    return deployed


def ending(deployed: InMemoryBackend, outcome: Outcome) -> None:
    """Makes jobs end so while requests wait for them."""

    def finish() -> None:
        for job in [*deployed.jobs.jobs.values()]:
            if not job.status.is_terminal:
                end(deployed.changes, job, outcome, deployed.now)

    deployed.on_sleep = finish


def test_a_prompt_is_answered_with_images(finishing: InMemoryBackend) -> None:
    answer = generate(model="dall-e-3", n=2, size="512x768", response_format="b64_json")
    (job,) = finishing.jobs.jobs.values()
    assert (job.generation.model, job.generation.width, job.generation.height) == ("demo", 512, 768)
    assert (answer.status, answer.body["id"], answer.body["output_format"]) == (200, job.id, "png")
    contents = [base64.b64decode(each["b64_json"]) for each in answer.body["data"]]
    assert contents == [FILE, FILE]


def test_models_of_that_name_are_answered_with_links(finishing: InMemoryBackend) -> None:
    (image,) = generate(model="dall-e-3").body["data"]
    (job,) = finishing.jobs.jobs.values()
    assert image["url"] == f"https://signed/data/outputs/{job.id}/0.png"


def test_an_image_is_edited_where_its_mask_is_transparent(finishing: InMemoryBackend) -> None:
    answer = edit(
        part("prompt", b"a red circle"),
        part("image", PNG, "image.png"),
        part("mask", PNG, "mask.png"),
        part("n", b"1"),
    )
    assert answer.status == 200
    (job,) = finishing.jobs.jobs.values()
    made = job.generation
    assert (made.mask_invert, made.mask_alpha, made.strength) == (True, True, 1.0)
    assert [image.data for image in finishing.documents.images] == [PNG, PNG]
    assert made.input_image == f"s3://data/inputs/{job.id}/input_image"


def test_a_job_that_takes_longer_is_joined_by_the_same_request(finishing: InMemoryBackend) -> None:
    finish, finishing.on_sleep = finishing.on_sleep, lambda: None
    first = generate()
    assert (first.status, first.body["error"]["code"]) == (503, "still_running")
    assert first.headers["x-should-retry"] == "true"
    assert int(first.headers["retry-after"]) >= 1
    assert finishing.slept_s == WAIT_S
    finishing.on_sleep = finish
    second = generate()
    assert (second.status, [*finishing.jobs.jobs]) == (200, [second.body["id"]])
    third = generate()
    assert third.body["id"] != second.body["id"]


def test_images_that_do_not_fit_are_returned_by_the_same_job_as_links(finishing: InMemoryBackend) -> None:
    finish = finishing.on_sleep

    def finish_with_large_files() -> None:
        finish()
        finishing.documents.files = dict.fromkeys(finishing.documents.files, bytes(4_000_001))

    finishing.on_sleep = finish_with_large_files
    refused = generate()
    assert (refused.status, refused.body["error"]["param"]) == (400, "response_format")
    assert generate(response_format="url").status == 200
    assert len(finishing.jobs.jobs) == 1


def test_withheld_images_are_refused_as_the_clients_know_it(deployed: InMemoryBackend) -> None:
    withheld = ImageResult(s3_uri=None, seed=1, width=64, height=64, sha256=None, flags=("nsfw",))
    ending(deployed, Outcome(status=JobStatus.SUCCEEDED, images=(withheld,)))
    answer = generate()
    assert (answer.status, answer.headers["x-should-retry"]) == (400, "false")
    assert answer.body["error"]["code"] == "content_policy_violation"


@pytest.mark.parametrize(
    ("outcome", "status", "code", "retry"),
    [
        (Outcome(status=JobStatus.CANCELED), 409, "canceled", "false"),
        (
            Outcome(status=JobStatus.FAILED, error=Problem.of(ErrorCode.OUT_OF_MEMORY, "Reduce width.")),
            507,
            "out_of_memory",
            "false",
        ),
        (
            Outcome(status=JobStatus.EXPIRED, error=Problem.of(ErrorCode.EXPIRED, "Not in time.")),
            504,
            "expired",
            "true",
        ),
    ],
)
def test_a_job_without_images_is_an_error(
    deployed: InMemoryBackend, outcome: Outcome, status: int, code: str, retry: str
) -> None:
    ending(deployed, outcome)
    answer = generate()
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert answer.headers["x-should-retry"] == retry


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": " "}, "prompt"),
        ({"size": "2048x2048"}, "size"),
        ({"n": 5}, "n"),
        ({"stream": True}, "stream"),
        ({"loras": [{"name": "a", "weight": 9}]}, "loras/0/weight"),
        ({"frame_count": 3}, "frame_count"),
    ],
)
def test_what_is_refused_has_the_name_of_the_clients_field(
    deployed: InMemoryBackend, fields: dict[str, Any], param: str
) -> None:
    answer = generate(**fields)
    assert (answer.status, answer.body["error"]["param"]) == (400, param)
    assert answer.body["error"]["type"] == "invalid_request_error"
    assert not deployed.jobs.jobs


def test_a_form_without_an_image_is_refused(deployed: InMemoryBackend) -> None:
    answer = edit(part("prompt", b"a red circle"))
    assert (answer.status, answer.body["error"]["param"]) == (400, "image")
    assert not deployed.jobs.jobs


@pytest.mark.usefixtures("deployed")
def test_bodies_and_paths_that_do_not_exist_are_errors_of_the_same_form() -> None:
    form = Answer(*call("POST", EDITS, urlencode({"prompt": "a"})))
    assert (form.status, form.body["error"]["code"]) == (400, "malformed_request")
    missing = Answer(*call("POST", "/v1/images/variations", "{}"))
    assert (missing.status, missing.body["error"]["code"]) == (404, "route_not_found")
    model = generate(model="sdxl")
    assert (model.status, model.body["error"]["code"], model.body["error"]["param"]) == (
        404,
        "model_not_found",
        "model",
    )
