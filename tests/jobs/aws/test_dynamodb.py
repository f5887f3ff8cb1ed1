"""The same tests for the in-memory repository and for DynamoDB, and tests of the DynamoDB items."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from contract.options import OutputFormat
from contract.result import ImageResult
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.errors import JobExistsError, JobNotFoundError
from jobs.job import Invocation, JobStatus, Outcome
from jobs.ports import JobRepository
from tests.jobs.fakes import DETAILS, FAILURE, INVOCATION, NOW, InMemoryJobs, a_job, a_result

DONE = NOW + timedelta(minutes=2)
FAILED = Outcome(status=JobStatus.FAILED, error=FAILURE)


@pytest.fixture(params=["memory", "dynamodb"])
def jobs(request: pytest.FixtureRequest) -> JobRepository:
    if request.param == "memory":
        return InMemoryJobs()
    request.getfixturevalue("aws")
    return DynamoDBJobRepository(a_table())


def a_table() -> Any:
    return boto3.resource("dynamodb").create_table(
        TableName="jobs",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_get_returns_the_created_job(jobs: JobRepository) -> None:
    job = a_job(prompt="ein rötlicher Kreis 🔴", guidance_scale=7.3, count=2)
    jobs.create(job)
    assert jobs.get(job.id) == job


def test_every_request_field_is_stored_exactly(jobs: JobRepository) -> None:
    job = a_job(
        prompt="x" * 4000,
        guidance_scale=0.1 + 0.2,
        clip_skip=2,
        input_image="s3://data/inputs/a.png",
        strength=1 / 3,
        mask_image="https://example.com/m.png",
        mask_blur=0,
        controlnets=[{"type": "canny", "image": "s3://data/inputs/c.png", "end": 0.7, "preprocess": True}],
        loras=[{"name": "moon", "weight": -0.3}, {"name": "sun"}],
        embeddings=["bad-hands"],
        vae="mse",
        refiner_start=0.8,
        upscale={"scale": 1.5},
        output_format="webp",
        quality=71,
    )
    jobs.create(job)
    assert jobs.get(job.id) == job
    second = a_job(hires={"scale": 1.25, "strength": 0.55})
    jobs.create(second)
    assert jobs.get(second.id) == second


def test_the_timestamps_of_an_item(aws: None) -> None:
    table = a_table()
    jobs, job = DynamoDBJobRepository(table), a_job()
    jobs.create(job)
    jobs.finish(job.id, FAILED, DONE)
    item = table.get_item(Key={"id": job.id})["Item"]
    assert item["created_at"] == "2026-03-01T12:30:15.250000+00:00"
    assert item["finished_at"] == "2026-03-01T12:32:15.250000+00:00"
    assert (type(item["expires_at"]), item["expires_at"]) == (
        Decimal,
        1_774_960_215,
    )  # seconds since the epoch


def test_an_item_without_the_newer_fields_is_read(aws: None) -> None:
    table = a_table()
    generation = {
        "id": "01M83DTVVNDARV002GKFMEWG8M",
        "model": "demo",
        "prompt": "a red circle",
        "negative_prompt": "",
        "width": None,
        "height": 512,
        "steps": 30,
        "guidance_scale": 7.5,
        "sampler": "euler_a",
        "seed": 7,
        "count": 1,
        "input_image": "s3://data/inputs/a.png",
        "strength": 0.8,
    }
    image = {"s3_uri": "s3://data/outputs/J/0.png", "seed": 7, "width": 64, "height": 64, "sha256": "00"}
    table.put_item(
        Item={
            "id": generation["id"],
            "status": "succeeded",
            "created_at": NOW.isoformat(),
            "expires_at": int(DONE.timestamp()),
            "generation": json.dumps(generation),
            "finished_at": DONE.isoformat(),
            "images": json.dumps([image]),
        }
    )
    job = DynamoDBJobRepository(table).get(str(generation["id"]))
    assert (job.generation.strength, job.generation.output_format) == (0.8, OutputFormat.PNG)
    assert (job.images[0].flags, job.result, job.cancel_requested) == ((), None, False)


def test_creating_an_existing_id_is_an_error_and_changes_nothing(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    with pytest.raises(JobExistsError):
        jobs.create(replace(job, created_at=DONE))
    assert jobs.get(job.id) == job


def test_every_method_raises_for_an_unknown_id(jobs: JobRepository) -> None:
    for call in (
        lambda: jobs.get("unknown"),
        lambda: jobs.set_invocation("unknown", INVOCATION),
        lambda: jobs.request_cancellation("unknown"),
        lambda: jobs.finish("unknown", FAILED, DONE),
    ):
        with pytest.raises(JobNotFoundError):
            call()


def test_set_invocation_stores_the_locations(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.set_invocation(job.id, INVOCATION)
    assert jobs.get(job.id) == replace(job, invocation=INVOCATION)


def test_the_failure_location_is_optional(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.set_invocation(job.id, Invocation(output_location="s3://data/results/1", failure_location=None))
    assert jobs.get(job.id).invocation == Invocation(
        output_location="s3://data/results/1", failure_location=None
    )


def test_finish_stores_status_images_result_and_time(jobs: JobRepository) -> None:
    job = a_job(count=2)
    jobs.create(job)
    outcome = Outcome(status=JobStatus.SUCCEEDED, images=a_result(job.generation).images, result=DETAILS)
    assert jobs.finish(job.id, outcome, DONE)
    assert jobs.get(job.id) == replace(
        job, status=JobStatus.SUCCEEDED, images=outcome.images, result=DETAILS, finished_at=DONE
    )


@pytest.mark.parametrize(("characters", "is_stored"), [(64_000, True), (66_000, False)])
def test_a_result_that_is_too_large_for_an_item_is_left_out(
    aws: None, characters: int, is_stored: bool, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = DynamoDBJobRepository(a_table())
    uri = "https://example.com/".ljust(2048, "x")
    job = a_job(
        prompt="\x01" * 4000,  # six bytes each in JSON
        negative_prompt="\x01" * 4000,
        input_image=uri,
        mask_image=uri,
        controlnets=[{"type": "canny", "image": uri}] * 4,
    )
    jobs.create(job)
    image = ImageResult(s3_uri="s3://data/".ljust(1100, "x"), seed=7, width=64, height=64, sha256="0" * 64)
    result = DETAILS.model_copy(update={"fallbacks": ("x" * characters,)})
    outcome = Outcome(status=JobStatus.SUCCEEDED, images=(image,) * 64, result=result)
    assert jobs.finish(job.id, outcome, DONE)
    finished = jobs.get(job.id)
    assert (finished.status, len(finished.images)) == (JobStatus.SUCCEEDED, 64)
    assert finished.result == (result if is_stored else None)
    assert [record.levelname for record in caplog.records] == ([] if is_stored else ["WARNING"])


def test_a_finished_job_is_not_finished_again(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.finish(job.id, FAILED, DONE)
    assert not jobs.finish(job.id, Outcome(status=JobStatus.SUCCEEDED), DONE + timedelta(minutes=1))
    assert jobs.get(job.id) == replace(job, status=JobStatus.FAILED, error=FAILURE, finished_at=DONE)


def test_a_cancellation_request_may_be_repeated_and_the_job_can_finish_after_it(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.request_cancellation(job.id)
    assert jobs.request_cancellation(job.id)
    assert jobs.get(job.id) == replace(job, cancel_requested=True)
    assert jobs.finish(job.id, Outcome(status=JobStatus.CANCELED), DONE)
    assert jobs.get(job.id).status is JobStatus.CANCELED


def test_cancellation_of_a_finished_job_is_rejected(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.finish(job.id, FAILED, DONE)
    assert not jobs.request_cancellation(job.id)
    assert not jobs.get(job.id).cancel_requested


def test_set_invocation_does_not_change_the_status_of_a_finished_job(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.finish(job.id, FAILED, DONE)
    jobs.set_invocation(job.id, INVOCATION)
    assert jobs.get(job.id).status is JobStatus.FAILED
    assert jobs.get(job.id).invocation == INVOCATION
