"""Finishing jobs from completion messages and from the responses in S3."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contract.identifiers import InvocationId, new_job_id
from contract.problem import ErrorCode, Problem
from contract.submission import JobSubmission
from jobs.completion_messages import CompletionMessage, StartMessage, parse_message
from jobs.errors import JobNotFoundError, RecordTooLargeError
from jobs.job import Job
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import (
    BUCKET,
    CALLER,
    DETAILS,
    FAILURE,
    NOW,
    InMemoryBackend,
    a_result,
    invocation_of,
)

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


def submit(backend: InMemoryBackend, **fields: Any) -> Job:
    return backend.service.submit(JobSubmission(prompt="a red circle", **fields), CALLER)


def completed(job: Job, *, attempt: int = 1, **parameters: str) -> CompletionMessage:
    return CompletionMessage.model_validate(
        {
            "invocationStatus": "Completed",
            "eventTime": LATER,
            "inferenceId": f"{job.id}-{attempt}",
            "responseParameters": parameters,
        }
    )


def failed(job: Job, *, attempt: int = 1) -> CompletionMessage:
    return CompletionMessage.model_validate(
        {
            "invocationStatus": "Failed",
            "eventTime": LATER,
            "inferenceId": f"{job.id}-{attempt}",
            "failureReason": "InternalServerError",
        }
    )


def store_result(backend: InMemoryBackend, job: Job, attempt: int = 1) -> str:
    uri = invocation_of(job, attempt).output_location
    backend.documents.responses[uri] = a_result(job.generation)
    return uri


def store_problem(backend: InMemoryBackend, job: Job, problem: Problem, attempt: int = 1) -> None:
    backend.documents.responses[str(invocation_of(job, attempt).failure_location)] = problem


def test_a_completed_invocation_stores_images_details_and_the_processing_time(
    backend: InMemoryBackend,
) -> None:
    job = submit(backend, count=2, steps=10)
    uri = store_result(backend, job)
    assert backend.completion.finish(completed(job, outputLocation=uri))
    finished = backend.jobs.get(job.id)
    assert (finished.status, finished.finished_at, finished.due_at) == (JobStatus.SUCCEEDED, LATER, None)
    assert finished.images == a_result(job.generation).images
    assert finished.result == DETAILS
    assert backend.estimates.measured == {"demo/512x512": (3.0 / 20,)}


def test_a_repeated_message_changes_nothing(backend: InMemoryBackend) -> None:
    job = submit(backend)
    uri = store_result(backend, job)
    backend.completion.finish(completed(job, outputLocation=uri))
    finished = backend.jobs.get(job.id)
    assert not backend.completion.finish(completed(job, outputLocation=uri))
    assert not backend.completion.finish(failed(job))
    assert backend.jobs.get(job.id) == finished


def test_a_failure_stores_the_containers_problem(backend: InMemoryBackend) -> None:
    job = submit(backend)
    store_problem(backend, job, FAILURE)
    assert backend.completion.finish(failed(job))
    finished = backend.jobs.get(job.id)
    assert (finished.status, finished.error, finished.images) == (JobStatus.FAILED, FAILURE, ())


def test_a_canceled_invocation_cancels_the_job(backend: InMemoryBackend) -> None:
    job = submit(backend)
    store_problem(backend, job, Problem.of(ErrorCode.CANCELED, "The job was canceled."))
    backend.completion.finish(failed(job))
    finished = backend.jobs.get(job.id)
    assert (finished.status, finished.error) == (JobStatus.CANCELED, None)


def test_the_result_of_another_invocation_finishes_nothing(backend: InMemoryBackend) -> None:
    job, other = submit(backend), submit(backend)
    uri = store_result(backend, other)
    assert not backend.completion.finish(completed(job, outputLocation=uri))
    assert backend.jobs.get(job.id).status is JobStatus.QUEUED
    assert backend.jobs.get(other.id).status is JobStatus.QUEUED


@pytest.mark.parametrize("stored", ["nothing", "another document", "another job's result"])
def test_a_result_that_cannot_be_used_fails_the_job(backend: InMemoryBackend, stored: str) -> None:
    job = submit(backend)
    uri = invocation_of(job).output_location
    if stored == "another document":
        backend.documents.responses[uri] = "<html>"
    elif stored == "another job's result":
        backend.documents.responses[uri] = a_result(submit(backend).generation)
    assert backend.completion.finish(completed(job, outputLocation=uri))
    finished = backend.jobs.get(job.id)
    assert finished.status is JobStatus.FAILED
    assert finished.error is not None
    assert finished.error.code is ErrorCode.INTERNAL


def test_a_record_that_is_too_large_is_stored_without_details_and_otherwise_fails(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = submit(backend), submit(backend)
    save = backend.jobs.save

    def limited(job: Job) -> bool:
        if job.result is not None or (job.id == large.id and job.images):
            raise RecordTooLargeError(job.id)
        return save(job)

    monkeypatch.setattr(backend.jobs, "save", limited)
    for job in (small, large):
        backend.completion.finish(completed(job, outputLocation=store_result(backend, job)))
    without_details, without_images = backend.jobs.get(small.id), backend.jobs.get(large.id)
    assert (without_details.status, without_details.result) == (JobStatus.SUCCEEDED, None)
    assert without_details.images
    assert without_images.status is JobStatus.FAILED
    assert without_images.error is not None
    assert "too large" in without_images.error.detail


@pytest.mark.parametrize(
    "problem",
    [
        None,
        Problem.of(ErrorCode.ENDPOINT_UNAVAILABLE, "The container is shutting down."),
        Problem.of(ErrorCode.MODEL_LOADING, "The model is being loaded."),
    ],
)
def test_an_attempt_whose_container_went_away_is_interrupted(
    backend: InMemoryBackend, problem: Problem | None
) -> None:
    job = submit(backend)
    backend.completion.start(job.invocation_id, NOW)
    if problem is not None:
        store_problem(backend, job, problem)
    assert backend.completion.finish(failed(job))
    interrupted = backend.jobs.get(job.id)
    assert (interrupted.status, interrupted.interrupted) == (JobStatus.QUEUED, True)
    assert interrupted.due_at == backend.now
    assert interrupted.started_at is None
    assert not backend.completion.finish(failed(job))
    assert backend.jobs.get(job.id) == interrupted


def test_the_last_attempt_without_a_response_fails_the_job(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.completion.finish(failed(job))
    backend.reconciler.run(may_continue=lambda: True)
    assert not backend.completion.finish(failed(job))
    assert backend.completion.finish(failed(job, attempt=2))
    finished = backend.jobs.get(job.id)
    assert finished.status is JobStatus.FAILED
    assert finished.error is not None
    assert "container ended without a response" in finished.error.detail


def test_the_late_result_of_the_first_attempt_finishes_a_job_that_was_submitted_again(
    backend: InMemoryBackend,
) -> None:
    job = submit(backend)
    backend.completion.finish(failed(job))
    backend.reconciler.run(may_continue=lambda: True)
    uri = store_result(backend, job)
    assert backend.completion.finish(completed(job, outputLocation=uri))
    assert backend.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_a_start_marker_sets_the_status_running_once(backend: InMemoryBackend) -> None:
    job = submit(backend)
    assert backend.completion.start(job.invocation_id, LATER)
    running = backend.jobs.get(job.id)
    assert (running.status, running.started_at) == (JobStatus.RUNNING, LATER)
    assert running.due_at == LATER + timedelta(seconds=900 + 120)
    assert not backend.completion.start(job.invocation_id, LATER)
    assert not backend.completion.start(InvocationId(job.id, 2), LATER)


def test_a_start_marker_after_the_result_changes_nothing(backend: InMemoryBackend) -> None:
    job = submit(backend)
    backend.completion.finish(completed(job, outputLocation=store_result(backend, job)))
    assert not backend.completion.start(job.invocation_id, LATER)


def test_messages_about_an_unknown_job_raise_an_error(backend: InMemoryBackend) -> None:
    job = replace(submit(backend))
    backend.jobs.delete(job.id)
    for call in (
        lambda: backend.completion.finish(failed(job)),
        lambda: backend.completion.start(InvocationId(new_job_id(), 1), NOW),
    ):
        with pytest.raises(JobNotFoundError):
            call()


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_read_finishes_a_job_whose_message_was_lost(backend: InMemoryBackend, is_confirmed: bool) -> None:
    backend.endpoints.unconfirmed = not is_confirmed
    succeeding, failing, running = (submit(backend) for _ in range(3))
    store_result(backend, succeeding)
    store_problem(backend, failing, FAILURE)
    statuses = [backend.service.follow(job.id, CALLER).job.status for job in (succeeding, failing, running)]
    assert statuses == [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.QUEUED]


def test_webhook_calls_are_queued_before_the_record_changes(
    backend: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(backend, webhook_url="https://example.com/hook", webhook_events=("started", "succeeded"))

    def crash(_job: Job) -> bool:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(backend.jobs, "save", crash)
        with pytest.raises(RuntimeError):
            backend.completion.start(job.invocation_id, NOW)
    assert backend.webhooks.sent == [(job.id, "started")]
    backend.completion.finish(completed(job, outputLocation=store_result(backend, job)))
    assert backend.webhooks.sent == [(job.id, "started"), (job.id, "succeeded")]


def test_events_that_the_webhook_does_not_name_are_not_queued(backend: InMemoryBackend) -> None:
    job = submit(backend, webhook_url="https://example.com/hook", webhook_events=("failed",))
    backend.completion.start(job.invocation_id, NOW)
    backend.completion.finish(completed(job, outputLocation=store_result(backend, job)))
    assert backend.webhooks.sent == []


def test_both_kinds_of_messages_are_parsed() -> None:
    job_id = new_job_id()
    event = {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-03-01T12:30:45Z",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": f"starts/{job_id}-2", "size": 0}},
    }
    start = parse_message(json.dumps(event))
    assert isinstance(start, StartMessage)
    assert start.invocation == InvocationId(job_id, 2)
    published = {
        "invocationStatus": "Failed",
        "eventTime": "2026-03-01T12:30:45.123Z",
        "inferenceId": f"{job_id}-1",
    }
    end = parse_message(json.dumps(published))
    assert isinstance(end, CompletionMessage)
    assert end.invocation == InvocationId(job_id, 1)
