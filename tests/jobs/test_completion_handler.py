"""The handler of the completion queue, with in-memory ports."""

import importlib
import json
from datetime import UTC, datetime

from jobs.job import Job
from jobs.lifecycle import JobStatus
from tests.jobs.fakes import InMemoryBackend, a_job, a_result, invocation_of
from tests.jobs.http_calls import CONTEXT


def handle_messages(*bodies: str) -> list[str]:
    records = [{"messageId": str(i), "body": body, "eventSource": "aws:sqs"} for i, body in enumerate(bodies)]
    response = importlib.import_module("jobs.completion_handler").handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def completed(job: Job) -> str:
    return json.dumps(
        {
            "invocationStatus": "Completed",
            "eventTime": "2026-03-01T12:31:00Z",
            "inferenceId": f"{job.id}-1",
            "responseParameters": {"outputLocation": invocation_of(job).output_location},
        }
    )


def started(job: Job) -> str:
    detail = {"bucket": {"name": "data"}, "object": {"key": f"starts/{job.id}-1", "size": 0}}
    return json.dumps({"source": "aws.s3", "time": "2026-03-01T12:30:40Z", "detail": detail})


def test_a_start_marker_and_a_result_start_and_finish_the_job(deployed: InMemoryBackend) -> None:
    job = a_job()
    deployed.jobs.create(job)
    assert handle_messages(started(job)) == []
    running = deployed.jobs.get(job.id)
    assert running.status is JobStatus.RUNNING
    assert running.started_at == datetime(2026, 3, 1, 12, 30, 40, tzinfo=UTC)
    deployed.documents.responses[invocation_of(job).output_location] = a_result(job.generation)
    assert handle_messages(completed(job)) == []
    assert deployed.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_only_the_failed_messages_of_a_batch_return_to_the_queue(deployed: InMemoryBackend) -> None:
    job = a_job()
    deployed.jobs.create(job)
    deployed.documents.responses[invocation_of(job).output_location] = a_result(job.generation)
    assert handle_messages("no json", completed(job), '{"inferenceId": "other"}') == ["0", "2"]
    assert deployed.jobs.get(job.id).status is JobStatus.SUCCEEDED


def test_messages_about_a_deleted_job_are_dropped(deployed: InMemoryBackend) -> None:
    job = a_job()
    assert handle_messages(started(job), completed(job)) == []
    assert deployed.jobs.jobs == {}
