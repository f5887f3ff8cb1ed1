import itertools
import json
from typing import Any

import pytest
from pydantic import ValidationError

from contract.problem import ErrorCode, Problem
from jobs.completion import Completion, Notice
from jobs.errors import JobNotFoundError, UnreadableAnswerError
from jobs.job import Job, JobStatus
from tests.jobs.fakes import FAILURE, INVOCATION, World, a_job, a_result

OUTPUT = INVOCATION.output_location


def notice(job: Job, **changes: Any) -> Notice:
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
    return Notice.model_validate_json(json.dumps(document))


def failed(job: Job, **changes: Any) -> Notice:
    without = {"invocationStatus": "Failed", "failureReason": "ModelError: 507", "responseParameters": {}}
    return notice(job, **(without | changes))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def completion(world: World) -> Completion:
    return Completion(jobs=world.jobs, documents=world.documents)


@pytest.fixture
def job(world: World) -> Job:
    job = a_job(count=2)
    world.jobs.create(job)
    world.jobs.attach(job.id, INVOCATION)
    world.documents.answers[OUTPUT] = a_result(job.generation)
    world.documents.answers[str(INVOCATION.failure_location)] = FAILURE
    return job


def test_a_completed_invocation_gives_the_job_its_images(
    world: World, completion: Completion, job: Job
) -> None:
    assert completion.settle(notice(job))
    settled = world.jobs.get(job.id)
    assert settled.status is JobStatus.SUCCEEDED
    assert [image.seed for image in settled.images] == [7, 8]
    assert settled.finished_at is not None
    assert settled.finished_at.isoformat() == "2026-03-01T12:31:00.608000+00:00"


def test_a_failed_invocation_gives_the_job_the_containers_problem(
    world: World, completion: Completion, job: Job
) -> None:
    assert completion.settle(failed(job))
    assert world.jobs.get(job.id).status is JobStatus.FAILED
    assert world.jobs.get(job.id).error == FAILURE


def test_an_invocation_that_was_canceled_leaves_a_canceled_job(
    world: World, completion: Completion, job: Job
) -> None:
    problem = Problem.of(ErrorCode.CANCELED, "The job was canceled.")
    world.documents.answers[str(INVOCATION.failure_location)] = problem
    assert completion.settle(failed(job))
    settled = world.jobs.get(job.id)
    assert (settled.status, settled.error) == (JobStatus.CANCELED, None)


def test_the_notices_own_failure_location_comes_first(world: World, completion: Completion, job: Job) -> None:
    world.documents.answers["s3://data/failures/2.out"] = FAILURE.model_copy(update={"detail": "another"})
    completion.settle(failed(job, responseParameters={"failureLocation": "s3://data/failures/2.out"}))
    error = world.jobs.get(job.id).error
    assert error is not None
    assert error.detail == "another"


def test_a_failure_without_a_document_is_still_a_failure_in_our_words(
    world: World, completion: Completion, job: Job
) -> None:
    world.documents.answers.clear()
    assert completion.settle(failed(job))
    error = world.jobs.get(job.id).error
    assert error is not None
    assert error.code == "internal"
    assert "ModelError" not in error.detail


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["done", "failed", "done"]))))
def test_of_repeated_and_contradicting_notices_the_first_counts(
    world: World, completion: Completion, job: Job, order: tuple[str, ...]
) -> None:
    notices = {"done": notice(job), "failed": failed(job)}
    assert [completion.settle(notices[each]) for each in order] == [True, False, False]
    expected = JobStatus.SUCCEEDED if order[0] == "done" else JobStatus.FAILED
    assert world.jobs.get(job.id).status is expected


def test_a_completion_whose_result_cannot_be_read_leaves_the_job_for_the_next_try(
    world: World, completion: Completion, job: Job
) -> None:
    world.documents.answers.clear()
    with pytest.raises(UnreadableAnswerError):
        completion.settle(notice(job))
    assert world.jobs.get(job.id).status is JobStatus.QUEUED


def test_an_invocation_of_no_job_is_told_apart(completion: Completion) -> None:
    with pytest.raises(JobNotFoundError):
        completion.settle(notice(a_job()))


def test_what_is_no_notice_is_refused() -> None:
    with pytest.raises(ValidationError):
        Notice.model_validate_json('{"hello": "world"}')
