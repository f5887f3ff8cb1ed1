"""The repository's contract, held by the fake and by DynamoDB alike."""

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from jobs.dynamodb import DynamoDBJobRepository
from jobs.errors import JobExistsError, JobNotFoundError
from jobs.job import Invocation, JobStatus, Outcome
from jobs.ports import JobRepository
from tests.jobs.fakes import FAILURE, INVOCATION, NOW, InMemoryJobs, a_job, a_result

DONE = NOW + timedelta(minutes=2)
FAILED = Outcome(status=JobStatus.FAILED, error=FAILURE)


@pytest.fixture(params=["memory", "dynamodb"])
def jobs(request: pytest.FixtureRequest) -> JobRepository:
    if request.param == "memory":
        return InMemoryJobs()
    request.getfixturevalue("aws")
    table = boto3.resource("dynamodb").create_table(
        TableName="jobs",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoDBJobRepository(table)


def test_a_created_job_is_found_as_it_was(jobs: JobRepository) -> None:
    job = a_job(prompt="ein rötlicher Kreis 🔴", guidance_scale=7.3, count=2)
    jobs.create(job)
    assert jobs.get(job.id) == job


def test_an_id_is_given_once(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    with pytest.raises(JobExistsError):
        jobs.create(replace(job, created_at=DONE))
    assert jobs.get(job.id) == job


def test_an_unknown_job_is_not_found(jobs: JobRepository) -> None:
    for call in (
        lambda: jobs.get("nobody"),
        lambda: jobs.attach("nobody", INVOCATION),
        lambda: jobs.settle("nobody", FAILED, DONE),
    ):
        with pytest.raises(JobNotFoundError):
            call()


def test_an_attached_invocation_is_kept(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.attach(job.id, INVOCATION)
    assert jobs.get(job.id) == replace(job, invocation=INVOCATION)


def test_an_invocation_may_have_no_failure_location(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.attach(job.id, Invocation(output_location="s3://data/results/1", failure_location=None))
    assert jobs.get(job.id).invocation == Invocation(
        output_location="s3://data/results/1", failure_location=None
    )


def test_a_settled_job_keeps_its_images(jobs: JobRepository) -> None:
    job = a_job(count=2)
    jobs.create(job)
    images = a_result(job.generation).images
    assert jobs.settle(job.id, Outcome(status=JobStatus.SUCCEEDED, images=images), DONE)
    assert jobs.get(job.id) == replace(job, status=JobStatus.SUCCEEDED, images=images, finished_at=DONE)


def test_settling_twice_keeps_the_first(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.settle(job.id, FAILED, DONE)
    assert not jobs.settle(job.id, Outcome(status=JobStatus.SUCCEEDED), DONE + timedelta(minutes=1))
    assert jobs.get(job.id) == replace(job, status=JobStatus.FAILED, error=FAILURE, finished_at=DONE)


def test_attaching_late_does_not_reopen_a_settled_job(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.settle(job.id, FAILED, DONE)
    jobs.attach(job.id, INVOCATION)
    assert jobs.get(job.id).status is JobStatus.FAILED
    assert jobs.get(job.id).invocation == INVOCATION
