import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from contract.problem import ErrorCode, Problem
from contract.result import ResultDetails
from jobs.completion import CompletionMessage, CompletionService
from jobs.errors import ForeignResultError, JobNotFoundError, UnreadableDocumentError
from jobs.job import Job, JobStatus
from tests.jobs.fakes import DETAILS, FAILURE, INVOCATION, InMemoryBackend, a_job, a_result

OUTPUT = INVOCATION.output_location


def message(job: Job, **changes: Any) -> CompletionMessage:
    document = {
        "awsRegion": "us-east-1",
        "eventTime": "2026-03-01T12:31:00.608Z",
        "receivedTime": "2026-03-01T12:30:00.455Z",
        "invocationStatus": "Completed",
        "requestParameters": {"endpointName": "endpoint", "inputLocation": "s3://data/requests/J.json"},
        "responseParameters": {"contentType": "application/json", "outputLocation": OUTPUT},
        "inferenceId": job.id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
        **changes,
    }
    return CompletionMessage.model_validate_json(json.dumps(document))


def failed(job: Job, **changes: Any) -> CompletionMessage:
    without = {"invocationStatus": "Failed", "failureReason": "ModelError: 507", "responseParameters": {}}
    return message(job, **(without | changes))


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend()


@pytest.fixture
def completion(backend: InMemoryBackend) -> CompletionService:
    return CompletionService(jobs=backend.jobs, documents=backend.documents)


@pytest.fixture
def job(backend: InMemoryBackend) -> Job:
    job = a_job(count=2)
    backend.jobs.create(job)
    backend.jobs.set_invocation(job.id, INVOCATION)
    backend.documents.responses[OUTPUT] = a_result(job.generation)
    backend.documents.responses[str(INVOCATION.failure_location)] = FAILURE
    return job


def test_a_completed_invocation_sets_status_images_result_and_time(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    assert completion.finish(message(job))
    finished = backend.jobs.get(job.id)
    assert finished.status is JobStatus.SUCCEEDED
    assert [image.seed for image in finished.images] == [7, 8]
    assert finished.result == DETAILS
    assert type(finished.result) is ResultDetails
    assert finished.finished_at is not None
    assert finished.finished_at.isoformat() == "2026-03-01T12:31:00.608000+00:00"


def test_a_failed_invocation_stores_the_containers_problem_document(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    assert completion.finish(failed(job))
    assert backend.jobs.get(job.id).status is JobStatus.FAILED
    assert backend.jobs.get(job.id).error == FAILURE


def test_the_problem_code_canceled_sets_the_status_canceled_without_an_error(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    problem = Problem.of(ErrorCode.CANCELED, "The job was canceled.")
    backend.documents.responses[str(INVOCATION.failure_location)] = problem
    assert completion.finish(failed(job))
    finished = backend.jobs.get(job.id)
    assert (finished.status, finished.error) == (JobStatus.CANCELED, None)


def test_the_messages_failure_location_is_preferred_to_the_stored_one(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    backend.documents.responses["s3://data/failures/2.out"] = FAILURE.model_copy(update={"detail": "another"})
    completion.finish(failed(job, responseParameters={"failureLocation": "s3://data/failures/2.out"}))
    error = backend.jobs.get(job.id).error
    assert error is not None
    assert error.detail == "another"


def test_a_failure_without_a_problem_document_is_an_internal_error(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    backend.documents.responses.clear()
    assert completion.finish(failed(job))
    error = backend.jobs.get(job.id).error
    assert error is not None
    assert error.code == "internal"
    assert "ModelError" not in error.detail


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["done", "failed", "done"]))))
def test_the_first_of_repeated_and_contradicting_messages_counts(
    backend: InMemoryBackend, completion: CompletionService, job: Job, order: tuple[str, ...]
) -> None:
    messages = {"done": message(job), "failed": failed(job)}
    assert [completion.finish(messages[each]) for each in order] == [True, False, False]
    expected = JobStatus.SUCCEEDED if order[0] == "done" else JobStatus.FAILED
    assert backend.jobs.get(job.id).status is expected


def test_an_unreadable_result_raises_and_leaves_the_job_queued(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    backend.documents.responses.clear()
    with pytest.raises(UnreadableDocumentError):
        completion.finish(message(job))
    assert backend.jobs.get(job.id).status is JobStatus.QUEUED


def test_a_message_with_the_output_location_of_another_job_completes_neither(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    other = a_job()
    backend.jobs.create(other)
    location = "s3://data/results/2.out"
    backend.jobs.set_invocation(other.id, replace(INVOCATION, output_location=location))
    with pytest.raises(ForeignResultError, match=OUTPUT):
        completion.finish(message(other))
    assert {backend.jobs.get(each.id).status for each in (job, other)} == {JobStatus.QUEUED}


def test_the_result_of_another_job_at_the_jobs_own_location_fails_the_job(
    backend: InMemoryBackend, completion: CompletionService, job: Job
) -> None:
    backend.documents.responses[OUTPUT] = a_result(a_job().generation)
    assert completion.finish(message(job))
    finished = backend.jobs.get(job.id)
    assert (finished.status, finished.images, finished.result) == (JobStatus.FAILED, (), None)
    assert finished.error is not None
    assert finished.error.code is ErrorCode.INTERNAL


def test_the_result_of_another_job_completes_nothing_before_the_output_location_is_stored(
    backend: InMemoryBackend, completion: CompletionService
) -> None:
    job, other = a_job(), a_job()
    backend.jobs.create(job)
    backend.documents.responses[OUTPUT] = a_result(other.generation)
    with pytest.raises(ForeignResultError, match=other.id):
        completion.finish(message(job))
    assert backend.jobs.get(job.id).status is JobStatus.QUEUED


def test_a_message_before_the_output_location_is_stored_completes_the_job(
    backend: InMemoryBackend, completion: CompletionService
) -> None:
    job = a_job()
    backend.jobs.create(job)
    backend.documents.responses[OUTPUT] = a_result(job.generation)
    assert completion.finish(message(job))
    assert backend.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_an_unknown_inference_id_raises_job_not_found(completion: CompletionService) -> None:
    with pytest.raises(JobNotFoundError):
        completion.finish(message(a_job()))


def test_a_document_of_another_schema_is_not_a_completion_message() -> None:
    with pytest.raises(ValidationError):
        CompletionMessage.model_validate_json('{"hello": "backend"}')
