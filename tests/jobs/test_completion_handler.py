"""The handler of the completion queue, with in-memory ports."""

import importlib
import json

from jobs.job import JobStatus
from tests.jobs.fakes import INVOCATION, InMemoryBackend, a_job, a_result
from tests.jobs.http_calls import CONTEXT


def handle_messages(*bodies: str) -> list[str]:
    records = [{"messageId": str(i), "body": body, "eventSource": "aws:sqs"} for i, body in enumerate(bodies)]
    response = importlib.import_module("jobs.completion_handler").handler({"Records": records}, CONTEXT)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def message_json(job_id: str, output: str = INVOCATION.output_location) -> str:
    return json.dumps(
        {
            "invocationStatus": "Completed",
            "eventTime": "2026-03-01T12:31:00Z",
            "inferenceId": job_id,
            "responseParameters": {"outputLocation": output},
        }
    )


def test_only_the_failed_messages_of_a_batch_return_to_the_queue(deployed: InMemoryBackend) -> None:
    good, unreadable = a_job(), a_job()
    for job in (good, unreadable):
        deployed.jobs.create(job)
    deployed.documents.responses[INVOCATION.output_location] = a_result(good.generation)
    failures = handle_messages(
        message_json(unreadable.id, "s3://data/results/none"), message_json(good.id), "no json"
    )
    assert failures == ["0", "2"]
    assert deployed.jobs.get(good.id).status is JobStatus.SUCCEEDED
    assert deployed.jobs.get(unreadable.id).status is JobStatus.QUEUED


def test_messages_with_an_unknown_inference_id_are_dropped(deployed: InMemoryBackend) -> None:
    good = a_job()
    deployed.jobs.create(good)
    deployed.documents.responses[INVOCATION.output_location] = a_result(good.generation)
    assert handle_messages(message_json("not-a-job"), message_json(good.id)) == []
