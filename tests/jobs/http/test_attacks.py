"""Requests that are meant to make the HTTP handler fail: it never answers 5xx, and its answers are small."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from contract.submission import JobSubmission
from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import Answer, query_event, send

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
LARGE = 5_900_000
"""Characters of a body just below Lambda's limit."""

MAX_PROBLEM_BYTES = 64 * 1024
MAX_JOB_BYTES = 128 * 1024
"""A job contains its request, whose prompts and URIs may need six bytes a character in JSON."""


def problem_of(answer: Answer) -> Problem:
    """The problem document of an answer, which is checked."""
    assert 400 <= answer.status < 500, answer.text
    assert len(answer.text.encode()) <= MAX_PROBLEM_BYTES
    assert answer.headers["content-type"] == CONTENT_TYPE
    problem = Problem.model_validate_json(answer.text)
    assert problem.status == answer.status
    assert problem.request_id == "api-1"
    return problem


def submit(body: str, **event: Any) -> ErrorCode | None:
    """Submits a body; returns the error's code, or None if the job was accepted."""
    answer = send("POST", "/v1/jobs", body, **event)
    if answer.status == 202:
        assert len(answer.text.encode()) <= MAX_JOB_BYTES
        return None
    return problem_of(answer).code


def request(**fields: Any) -> str:
    return json.dumps({"prompt": "x", **fields})


@pytest.mark.parametrize(
    "body",
    [
        '{"prompt":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"prompt":' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"prompt":"x","seed":' + "9" * 4301 + "}",
        '{"prompt":"x","seed":' + "9" * LARGE + "}",
        '{"prompt":"x","guidance_scale":NaN}',
        '{"prompt":"x","steps":-Infinity}',
        '{"prompt":"x","prompt":"y"}',
        '{"prompt":"\\ud800"}',
        '{"prompt":"x","\\ud800":1}',
        '{"prompt":"x","sampler":"\\udfff"}',
        '{"prompt":"x","input_image":"https://host/\\ud800"}',
        '{"prompt":"\ud800"}',
        '\ufeff{"prompt":"x"}',
        "[]",
        "1",
        '"x"',
        "null",
        "",
        " ",
        "\x00",
        request(**{f"u{number}": 1 for number in range(400_000)}),
        request(loras=[5] * 400_000),
        request(loras=[{"a": 1}] * 400_000),
        request(embeddings=["a"] * 400_000),
        request(controlnets={str(number): 1 for number in range(100_000)}),
        request(loras=[{f"weihgt{number}": 1 for number in range(10_000)}] * 8),
        '{"prompt":"x","loras":[' + "[]," * 1_900_000 + "[]]}",
        '{"prompt":"x","loras":[' + "{}," * 1_900_000 + "{}]}",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_malformed_body_is_refused_with_400_within_a_second(deployed: InMemoryBackend, body: str) -> None:
    started = time.process_time()
    assert submit(body) is ErrorCode.MALFORMED_REQUEST
    assert time.process_time() - started < 1
    assert deployed.jobs.jobs == {}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"width": 8 * 10**4000}, "#/width"),
        ({"sampler": "+" * LARGE}, "#/sampler"),
        ({"sampler": "\x00" * 60}, "#/sampler"),
        ({"output_format": "p" * LARGE}, "#/output_format"),
        ({"metadata": "f" * LARGE}, "#/metadata"),
        ({"model": "m" * LARGE}, "#/model"),
        ({"vae": "v" * LARGE}, "#/vae"),
        ({"negative_prompt": " " * LARGE}, "#/negative_prompt"),
        ({"upscale": {"upscaler": "u" * LARGE}}, "#/upscale/upscaler"),
        ({"input_image": "https://" + "@" * LARGE}, "#/input_image"),
        ({"input_image": "data:image/" + "x" * LARGE}, "#/input_image"),
        ({"input_image": "data:image/svg+xml;base64,AAAA"}, "#/input_image"),
        ({"input_image": "data:image/x\r\nheader: value;base64,AAAA"}, "#/input_image"),
        ({"input_image": "https://host\x00/\n"}, "#/input_image"),
        ({"input_image": "https://[::1"}, "#/input_image"),
        ({"x" * LARGE: 1}, "#/" + "x" * 100),
        ({"loras": [5] * 900}, "#/loras/0"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_value_that_is_too_long_or_dangerous_is_refused_with_422_within_a_second(
    deployed: InMemoryBackend, fields: dict[str, Any], pointer: str
) -> None:
    body = request(**fields)
    started = time.process_time()
    problem = problem_of(send("POST", "/v1/jobs", body))
    assert time.process_time() - started < 1
    assert (problem.code, problem.errors[0].pointer) == (ErrorCode.VALIDATION_FAILED, pointer)
    assert deployed.jobs.jobs == {}


@pytest.mark.parametrize("name", ["u" * 200, "\x00" * 200, "\U000e0001" * 200, '"\\' * 100, "~/" * 100])
def test_the_answer_to_many_unknown_fields_is_small(deployed: InMemoryBackend, name: str) -> None:
    fields = {f"{number}{name}": 1 for number in range(900)}
    problem = problem_of(send("POST", "/v1/jobs", request(**fields)))
    assert len(problem.errors) == 21
    assert problem.errors[-1].detail == "and 880 more"


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"prompt": "x"}', 202), (b'{"prompt": "\xff"}', 400), (b"\xff\xfe", 400)]
)
def test_a_base64_encoded_body_is_decoded(deployed: InMemoryBackend, body: bytes, status: int) -> None:
    encoded = base64.b64encode(body).decode()
    assert send("POST", "/v1/jobs", encoded, isBase64Encoded=True).status == status


def test_a_body_whose_bytes_api_gateway_has_replaced_is_refused(deployed: InMemoryBackend) -> None:
    body = b'{"prompt": "caf\xe9"}'.decode(errors="replace")
    assert submit(body) is ErrorCode.MALFORMED_REQUEST


def test_a_body_with_an_invalid_base64_encoding_is_malformed(deployed: InMemoryBackend) -> None:
    assert submit("abc", isBase64Encoded=True) is ErrorCode.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "job_id",
    [
        "A" * 3000,
        "é" * 2000,
        ULID.lower(),
        ULID + "\x00",
        ULID + "\n",
        ULID + " ",
        ULID + "%2Fcancel",
        ULID + "%00",
        "%2e%2e",
        "8" * 26,
    ],
)
def test_an_id_that_is_no_ulid_is_not_looked_up(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    lookups: list[str] = []
    monkeypatch.setattr(deployed.jobs, "get", lookups.append)
    for method, end in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/cancel")):
        answer = send(method, f"/v1/jobs/{job_id}{end}", '{"tags": []}')
        assert problem_of(answer).code is ErrorCode.JOB_NOT_FOUND
    assert lookups == []


def test_a_path_with_an_encoded_slash_cancels_no_job(deployed: InMemoryBackend) -> None:
    job_id = json.loads(send("POST", "/v1/jobs", request()).text)["id"]
    assert problem_of(send("POST", f"/v1/jobs/{job_id}%2Fcancel")).code is ErrorCode.METHOD_NOT_ALLOWED
    assert not deployed.jobs.get(job_id).cancel_requested


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=50)
    | st.sampled_from(
        ["euler", "png", "canny", "s3://data/inputs/a", "data:image/png;base64,AAAA", "lanczos"]
    )
    | st.integers(0, 128).map(lambda number: number * 8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "weight", "type", "image", "scale", "strength", "left", "upscaler", "steps"]
            )
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
bodies = st.dictionaries(
    st.sampled_from(sorted(JobSubmission.model_fields)) | st.text(max_size=8), values, max_size=8
)
any_request = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@any_request
@given(bodies, st.booleans())
@example({"prompt": "x", "seed": 2**32, "strength": 5e-324}, True)
def test_a_generated_request_is_accepted_or_refused(
    deployed: InMemoryBackend, document: dict[str, Any], ascii_only: bool
) -> None:
    submit(json.dumps({"prompt": "x", **document}, ensure_ascii=ascii_only))


@any_request
@given(st.text())
def test_a_generated_text_is_refused(deployed: InMemoryBackend, body: str) -> None:
    assert submit(body) in (ErrorCode.MALFORMED_REQUEST, ErrorCode.VALIDATION_FAILED)


@any_request
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    st.lists(
        st.text() | st.sampled_from(["v1", "jobs", "models", "uploads", "docs", ULID, "cancel"]), max_size=5
    ).map("/".join),
    st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_a_generated_path_is_answered(
    deployed: InMemoryBackend, method: str, path: str, query: dict[str, str]
) -> None:
    answer = send(method, f"/{path}", **query_event(query))
    if answer.status not in (200, 204) and method != "HEAD":
        problem_of(answer)


parameters = st.dictionaries(
    st.sampled_from(["status", "model", "tag", "text", "limit", "cursor"]) | st.text(max_size=8),
    st.text(max_size=80) | st.integers().map(str) | st.sampled_from(["queued", "demo", "a:b", "20"]),
    max_size=4,
)


@any_request
@given(parameters, st.booleans())
def test_a_generated_query_lists_jobs_or_is_refused(
    deployed: InMemoryBackend, query: dict[str, str], twice: bool
) -> None:
    repeated = {name: [value] * (1 + twice) for name, value in query.items()}
    answer = send("GET", "/v1/jobs", multiValueQueryStringParameters=repeated)
    if answer.status == 200:
        assert json.loads(answer.text) == {"data": [], "next_cursor": None}
    else:
        assert problem_of(answer).code is ErrorCode.VALIDATION_FAILED


header_names = st.sampled_from(
    ["Idempotency-Key", "If-None-Match", "Content-Type", "Accept", "Content-Length", "Host", "x-api-key"]
)


@any_request
@given(st.dictionaries(header_names | st.text(max_size=8), st.text(max_size=300), max_size=4))
def test_generated_headers_are_accepted_or_refused(
    deployed: InMemoryBackend, headers: dict[str, str]
) -> None:
    answer = send("POST", "/v1/jobs", request(), headers=headers)
    if answer.status != 202:
        assert problem_of(answer).code in (ErrorCode.VALIDATION_FAILED, ErrorCode.IDEMPOTENCY_MISMATCH)
        return
    path = json.loads(answer.text)["links"]["self"]
    assert send("GET", path, headers=headers).status in (200, 304)


@any_request
@given(st.dictionaries(st.sampled_from(["content_type", "size"]) | st.text(max_size=8), values, max_size=4))
def test_a_generated_upload_is_permitted_or_refused(
    deployed: InMemoryBackend, document: dict[str, Any]
) -> None:
    answer = send("POST", "/v1/uploads", json.dumps(document))
    if answer.status != 201:
        problem_of(answer)


@any_request
@given(
    st.dictionaries(st.sampled_from(["tags", "status"]) | st.text(max_size=8), values, max_size=3)
    | st.fixed_dictionaries({"tags": st.lists(st.text(max_size=70), max_size=12)})
)
def test_a_generated_change_of_tags_is_made_or_refused(
    deployed: InMemoryBackend, document: dict[str, Any]
) -> None:
    path = json.loads(send("POST", "/v1/jobs", request()).text)["links"]["self"]
    answer = send("PATCH", path, json.dumps(document))
    if answer.status == 200:
        assert json.loads(answer.text)["tags"] == document["tags"]
    else:
        assert problem_of(answer).code in (ErrorCode.VALIDATION_FAILED, ErrorCode.MALFORMED_REQUEST)
