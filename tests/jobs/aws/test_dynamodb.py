"""The job records: the adapter to DynamoDB and its in-memory stand-in behave alike."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from contract.submission import WebhookEvent
from contract.tables import CALLERS_ATTRIBUTES, CALLERS_INDEX, UNFINISHED_ATTRIBUTES, UNFINISHED_INDEX
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.errors import JobNotFoundError, RecordTooLargeError
from jobs.job import Job, JobFilters, Webhook
from jobs.lifecycle import JobStatus
from jobs.ports import IdempotencyRecord, JobRepository
from tests.jobs.fakes import CALLER, DETAILS, FAILURE, NOW, InMemoryJobs, a_job, a_result, invocation_of

TABLE = "jobs"
ANY = JobFilters()


def _attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def _index(name: str, partition: str, sort: str, *attributes: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(attributes)},
    }


@pytest.fixture
def client(aws: None) -> Any:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            _attribute("id"),
            _attribute("list_key"),
            _attribute("queue"),
            _attribute("due_at", "N"),
        ],
        GlobalSecondaryIndexes=[
            _index(CALLERS_INDEX, "list_key", "id", *CALLERS_ATTRIBUTES),
            _index(UNFINISHED_INDEX, "queue", "due_at", *UNFINISHED_ATTRIBUTES),
        ],
    )
    return client


@pytest.fixture(params=["DynamoDB", "memory"])
def jobs(request: pytest.FixtureRequest) -> JobRepository:
    if request.param == "memory":
        return InMemoryJobs(shared=False)
    return DynamoDBJobRepository(request.getfixturevalue("client"), TABLE, shared=False)


def complete(job: Job) -> Job:
    """The job with every attribute set."""
    return replace(
        job,
        status=JobStatus.FAILED,
        due_at=None,
        tags=("a", "b"),
        webhook=Webhook(
            url="https://example.com/",
            events=(WebhookEvent.FAILED,),
            prediction_address="https://api.example.com/replicate/v1",
        ),
        attempt=2,
        interrupted=True,
        invocation=invocation_of(job),
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=1),
        images=a_result(job.generation).images,
        result=DETAILS,
        error=FAILURE,
        cancel_requested=True,
    )


def record(job: Job, key: str = "k") -> IdempotencyRecord:
    expires_at = (NOW + timedelta(hours=24)).replace(microsecond=0)
    return IdempotencyRecord(key=key, fingerprint="f", job_id=job.id, expires_at=expires_at)


def test_a_job_is_returned_as_it_was_created(jobs: JobRepository) -> None:
    job = a_job(count=2, prompt="日本")
    assert jobs.create(job) is None
    assert jobs.get(job.id) == job


def test_creating_a_job_again_changes_nothing(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    jobs.save(replace(job, attempt=2))
    assert jobs.create(job) is None
    assert jobs.get(job.id).attempt == 2


def test_an_unknown_job_is_not_found(jobs: JobRepository) -> None:
    with pytest.raises(JobNotFoundError):
        jobs.get(a_job().id)


def test_every_attribute_is_saved_and_removed_again(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job)
    full = complete(job)
    assert jobs.save(full)
    assert jobs.get(job.id) == replace(full, revision=1)
    assert jobs.save(replace(job, revision=1))
    assert jobs.get(job.id) == replace(job, revision=2)


def test_a_record_that_was_changed_or_deleted_meanwhile_is_not_saved(jobs: JobRepository) -> None:
    job = a_job()
    assert not jobs.save(job)
    jobs.create(job)
    assert jobs.save(replace(job, attempt=2))
    assert not jobs.save(replace(job, cancel_requested=True))
    jobs.delete(job.id)
    jobs.delete(job.id)
    assert not jobs.save(replace(job, revision=1))
    with pytest.raises(JobNotFoundError):
        jobs.get(job.id)


def test_a_key_is_stored_with_its_job(jobs: JobRepository) -> None:
    job, other = a_job(), a_job()
    assert jobs.find_idempotency("k") is None
    assert jobs.create(job, record(job)) is None
    assert jobs.create(job, record(job)) is None
    assert jobs.find_idempotency("k") == record(job)
    assert jobs.create(other, record(other)) == record(job)
    with pytest.raises(JobNotFoundError):
        jobs.get(other.id)


def test_a_key_that_has_expired_or_was_released_may_be_used_again(jobs: JobRepository) -> None:
    job = a_job()
    jobs.create(job, record(job))
    later = replace(a_job(), created_at=NOW + timedelta(hours=24))
    assert jobs.create(later, record(later)) is None
    jobs.release_idempotency("k", job.id)
    assert jobs.find_idempotency("k") == record(later)
    jobs.release_idempotency("k", later.id)
    assert jobs.find_idempotency("k") is None
    another = a_job()
    assert jobs.create(another, record(another)) is None


def test_jobs_are_found_newest_first_in_pages(jobs: JobRepository) -> None:
    created = [a_job() for _ in range(5)]
    for job in created:
        jobs.create(job)
    newest_first = sorted((job.id for job in created), reverse=True)
    page = jobs.find(CALLER.id, ANY, limit=2, before=None)
    ids = [job.id for job in page.jobs]
    while page.last_id is not None:
        page = jobs.find(CALLER.id, ANY, limit=2, before=page.last_id)
        ids += [job.id for job in page.jobs]
    assert ids == newest_first


def test_jobs_are_found_by_caller_status_model_and_tag(jobs: JobRepository) -> None:
    plain, tagged, ended = a_job(), replace(a_job(), tags=("a", "b")), a_job()
    foreign = replace(a_job(), owner="key:other")
    for job in (plain, tagged, ended, foreign):
        jobs.create(job)
    jobs.save(replace(ended, status=JobStatus.SUCCEEDED, due_at=None))

    def found(filters: JobFilters, owner: str = CALLER.id) -> set[str]:
        return {job.id for job in jobs.find(owner, filters, limit=100, before=None).jobs}

    assert found(ANY) == {plain.id, tagged.id, ended.id}
    assert found(ANY, "key:other") == {foreign.id}
    assert found(JobFilters(status=JobStatus.SUCCEEDED)) == {ended.id}
    assert found(JobFilters(tag="b")) == {tagged.id}
    assert found(JobFilters(tag="b", status=JobStatus.SUCCEEDED)) == set()
    assert found(JobFilters(model="demo")) == {plain.id, tagged.id, ended.id}
    assert found(JobFilters(model="other")) == set()


def test_jobs_are_found_by_a_part_of_their_prompt_in_any_case(jobs: JobRepository) -> None:
    composed, decomposed = "CAF\N{LATIN CAPITAL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"
    plain, accented, chinese = (
        a_job(prompt=prompt)
        for prompt in ("A red CIRCLE, Stra\N{LATIN SMALL LETTER SHARP S}e", composed, "\u7ea2\u8272\u5706")
    )
    for job in (plain, accented, chinese):
        jobs.create(job)
    jobs.save(replace(plain, tags=("a",)))

    def found(text: str, **filters: str) -> set[str]:
        page = jobs.find(CALLER.id, JobFilters(text=text, **filters), limit=100, before=None)
        return {job.id for job in page.jobs}

    assert found("a red c") == found("RED circle") == found("STRASSE") == {plain.id}
    assert found(composed) == found(decomposed) == {accented.id}
    assert found("\u8272") == {chinese.id}
    assert found("c") == {plain.id, accented.id}
    assert found("c", tag="a") == {plain.id}
    assert found("blue") == set()


def test_the_beginning_of_a_long_prompt_is_searched(jobs: JobRepository) -> None:
    job = a_job(prompt="x" * 997 + "END" + "later")
    jobs.create(job)
    for text, count in (("end", 1), ("endl", 0), ("later", 0)):
        assert len(jobs.find(CALLER.id, JobFilters(text=text), limit=1, before=None).jobs) == count


def test_overdue_jobs_are_found_the_longest_overdue_first(jobs: JobRepository) -> None:
    due = [replace(a_job(), due_at=NOW + timedelta(seconds=seconds)) for seconds in (3, 1, 2)]
    elsewhere = replace(a_job(), queue="other", due_at=NOW)
    for job in (*due, elsewhere):
        jobs.create(job)
    now = NOW + timedelta(seconds=2)
    assert list(jobs.overdue("demo", now)) == [due[1].id, due[2].id]
    jobs.save(replace(due[1], status=JobStatus.EXPIRED, due_at=None))
    assert list(jobs.overdue("demo", now)) == [due[2].id]


def test_unfinished_jobs_are_summarized(jobs: JobRepository) -> None:
    queued, running = a_job(steps=10, count=3), a_job()
    for job in (queued, running):
        jobs.create(job)
    jobs.save(
        replace(
            running,
            status=JobStatus.RUNNING,
            started_at=NOW,
            invocation=invocation_of(running),
            due_at=NOW + timedelta(hours=1),
        )
    )
    first, second = jobs.unfinished("demo")
    assert (first.id, first.status, first.endpoint, first.started_at) == (
        queued.id,
        JobStatus.QUEUED,
        None,
        None,
    )
    assert (first.workload, first.units, first.created_at) == ("demo/512x512", 30, NOW)
    assert (second.id, second.status, second.endpoint, second.started_at) == (
        running.id,
        JobStatus.RUNNING,
        "endpoint-1",
        NOW,
    )


def test_a_record_over_dynamodbs_limit_is_too_large(client: Any) -> None:
    jobs, job = DynamoDBJobRepository(client, TABLE, shared=False), a_job()
    jobs.create(job)
    image = a_result(job.generation).images[0]
    with pytest.raises(RecordTooLargeError):
        jobs.save(replace(job, images=(image.model_copy(update={"flags": ("x" * 1000,) * 400}),)))
    assert jobs.get(job.id) == job


def test_the_jobs_of_all_callers_of_a_shared_stage_are_found(client: Any) -> None:
    jobs = DynamoDBJobRepository(client, TABLE, shared=True)
    created = [a_job(), replace(a_job(), owner="key:other")]
    for job in created:
        jobs.create(job)
    assert {job.id for job in jobs.find(None, ANY, limit=100, before=None).jobs} == {
        job.id for job in created
    }


def test_a_job_remains_in_the_list_of_its_caller_when_it_changes(client: Any) -> None:
    job = a_job()
    DynamoDBJobRepository(client, TABLE, shared=False).create(job)
    DynamoDBJobRepository(client, TABLE, shared=True).save(replace(job, attempt=2))
    found = DynamoDBJobRepository(client, TABLE, shared=False).find(CALLER.id, ANY, limit=1, before=None)
    assert [each.attempt for each in found.jobs] == [2]
