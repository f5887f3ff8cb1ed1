"""Submitting jobs, and idempotency keys."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from contract.generation import InvalidRequestError
from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.errors import (
    EndpointUnavailableError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    ModelNotFoundError,
)
from jobs.idempotency import IdempotencyKey
from jobs.job import Job, Webhook
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import CALLER, NOW, OUTPUT_PREFIX, RETENTION, InMemoryBackend, invocation_of

KEY = IdempotencyKey(text="key-1")

IMAGE = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


def a_submission(**fields: Any) -> JobSubmission:
    return JobSubmission.model_validate({"prompt": "a red circle", **fields})


def test_a_job_is_stored_with_its_caller_and_invoked(backend: InMemoryBackend) -> None:
    submission = a_submission(tags=["a", "b"], webhook_url="https://example.com/", model="other")
    job = backend.service.submit(submission, CALLER)
    assert backend.jobs.get(job.id) == job
    assert (job.status, job.owner, job.queue, job.tags) == (JobStatus.QUEUED, CALLER.id, "demo", ("a", "b"))
    assert job.webhook == Webhook(url="https://example.com/", events=submission.webhook_events)
    assert (job.created_at, job.expires_at) == (NOW, (NOW + RETENTION).replace(microsecond=0))
    assert job.due_at == NOW + timedelta(seconds=21_600 + 900 + 120)
    assert job.invocation == invocation_of(job)
    assert backend.endpoints.invocations == [job.invocation_id]


def test_the_record_is_stored_before_the_images_and_the_invocation(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    for port, name in (
        (backend.jobs, "create"),
        (backend.documents, "put_inline_image"),
        (backend.endpoints, "invoke"),
    ):
        original = getattr(port, name)

        def record(*arguments: Any, original: Any = original, name: str = name) -> Any:
            calls.append(name)
            return original(*arguments)

        monkeypatch.setattr(port, name, record)
    backend.service.submit(a_submission(input_image=IMAGE), CALLER)
    assert calls == ["create", "put_inline_image", "invoke"]


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"input_image": "s3://other/inputs/a.png"}, {"#/input_image"}),
        ({"input_image": "s3://data/models/a.png"}, {"#/input_image"}),
        (
            {"input_image": "data:image/png;base64,*", "output_s3_uri": "s3://x/y/"},
            {"#/input_image", "#/output_s3_uri"},
        ),
        ({"width": 1024}, {"#/width"}),
    ],
)
def test_nothing_is_stored_for_an_invalid_request(
    backend: InMemoryBackend, fields: dict[str, Any], pointers: set[str]
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        backend.service.submit(a_submission(**fields), CALLER, KEY)
    assert {error.pointer for error in refused.value.errors} == pointers
    assert (backend.jobs.jobs, backend.jobs.idempotency, backend.documents.images) == ({}, {}, [])


def test_an_unknown_model_is_not_found(backend: InMemoryBackend) -> None:
    with pytest.raises(ModelNotFoundError):
        backend.service.submit(a_submission(model="nope"), CALLER)


def test_an_output_prefix_of_the_stage_is_accepted(backend: InMemoryBackend) -> None:
    job = backend.service.submit(a_submission(output_s3_uri=f"{OUTPUT_PREFIX}today/"), CALLER)
    assert job.generation.output_s3_uri == f"{OUTPUT_PREFIX}today/"


@pytest.mark.parametrize("part", ["endpoints", "documents"])
def test_a_job_that_cannot_be_submitted_fails(backend: InMemoryBackend, part: str) -> None:
    getattr(backend, part).unavailable = True
    with pytest.raises(EndpointUnavailableError):
        backend.service.submit(a_submission(input_image=IMAGE), CALLER, KEY)
    (job,) = backend.jobs.jobs.values()
    assert (job.status, job.due_at) == (JobStatus.FAILED, None)
    getattr(backend, part).unavailable = False
    assert backend.service.submit(a_submission(input_image=IMAGE), CALLER, KEY).id != job.id


def test_a_lost_answer_leaves_the_job_queued(backend: InMemoryBackend) -> None:
    backend.endpoints.unconfirmed = True
    job = backend.service.submit(a_submission(), CALLER)
    assert (job.status, job.invocation) == (JobStatus.QUEUED, None)
    assert job.due_at == NOW + timedelta(seconds=90)


def test_an_accepted_job_whose_record_cannot_be_changed_is_not_reported_as_failed(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_job: Job) -> bool:
        raise RuntimeError("the table is unavailable")

    monkeypatch.setattr(backend.jobs, "save", fail)
    job = backend.service.submit(a_submission(), CALLER)
    assert (job.status, job.invocation) == (JobStatus.QUEUED, None)
    assert backend.endpoints.invocations == [job.invocation_id]


def test_the_same_key_and_request_return_the_same_job(backend: InMemoryBackend) -> None:
    first = backend.service.submit(a_submission(), CALLER, KEY)
    assert backend.service.submit(a_submission(), CALLER, KEY) == first
    assert len(backend.endpoints.invocations) == 1


def test_keys_belong_to_their_callers(backend: InMemoryBackend) -> None:
    first = backend.service.submit(a_submission(), CALLER, KEY)
    other = backend.service.submit(a_submission(), Caller("key:other"), KEY)
    assert first.id != other.id


def test_the_same_key_with_another_request_is_refused(backend: InMemoryBackend) -> None:
    backend.service.submit(a_submission(), CALLER, KEY)
    with pytest.raises(IdempotencyMismatchError):
        backend.service.submit(a_submission(steps=3), CALLER, KEY)


def test_a_key_may_be_used_again_after_24_hours(backend: InMemoryBackend) -> None:
    first = backend.service.submit(a_submission(), CALLER, KEY)
    backend.now += timedelta(hours=24)
    assert backend.service.submit(a_submission(steps=3), CALLER, KEY).id != first.id


def test_a_key_whose_first_request_is_being_processed_is_in_flight(backend: InMemoryBackend) -> None:
    backend.endpoints.unconfirmed = True
    first = backend.service.submit(a_submission(), CALLER, KEY)
    with pytest.raises(IdempotencyInFlightError):
        backend.service.submit(a_submission(), CALLER, KEY)
    backend.now += timedelta(seconds=90)
    assert backend.service.submit(a_submission(), CALLER, KEY).id == first.id


def test_a_key_has_one_job_even_if_both_requests_pass_the_first_look(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backend.service.submit(a_submission(), CALLER, KEY)
    answers = iter([None])
    find = backend.jobs.find_idempotency
    monkeypatch.setattr(backend.jobs, "find_idempotency", lambda key: next(answers, find(key)))
    assert backend.service.submit(a_submission(), CALLER, KEY).id == first.id
    assert list(backend.jobs.jobs) == [first.id]
