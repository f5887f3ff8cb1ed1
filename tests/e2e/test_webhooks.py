"""The deployed webhook function: its queue, its permissions and its refusal of addresses that are not public.

A receiver must be on the public internet, which tests do not reach; tests/jobs/webhooks has the calls.
"""

import json
from typing import Any

import pytest

from contract.submission import WebhookEvent
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.aws.sqs import SqsWebhookQueue
from jobs.job import Webhook
from jobs.lifecycle import JobStatus
from local.stack import LocalStack
from tests.e2e.client import resources
from tests.jobs.webhooks.webhook_jobs import JOB_ID, job_with_webhook
from tests.waiting import wait_until

LOOPBACK = Webhook(
    url="https://127.0.0.1/hook?token=xyzzy",
    events=tuple(WebhookEvent),
    prediction_address="https://api.example/replicate/v1",  # the function also signs links to images
)


def physical_id(stack: LocalStack, kind: str, part: str) -> str:
    (name,) = [name for name in resources(stack.aws, kind) if part in name]
    return name


@pytest.fixture(scope="module")
def queue_url(stack: LocalStack) -> str:
    return physical_id(stack, "AWS::SQS::Queue", "WebhookQueueCalls")


def store(stack: LocalStack, status: JobStatus) -> None:
    table = physical_id(stack, "AWS::DynamoDB::Table", "StorageJobs")
    dynamodb = stack.aws.client("dynamodb")
    dynamodb.delete_item(TableName=table, Key={"id": {"S": JOB_ID}})
    DynamoDBJobRepository(dynamodb, table, shared=True).create(job_with_webhook(status, webhook=LOOPBACK))


def messages(stack: LocalStack, queue_url: str) -> tuple[int, int, int]:
    """The numbers of messages that wait, are invisible and are delayed."""
    names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
    attributes = stack.aws.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])[
        "Attributes"
    ]
    visible, invisible, delayed = (int(attributes.get(name, 0)) for name in names)
    return visible, invisible, delayed


def log(stack: LocalStack) -> list[dict[str, Any]]:
    """The events in the function's log that are JSON objects."""
    group = physical_id(stack, "AWS::Logs::LogGroup", "WebhooksCall")
    events = stack.aws.client("logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(each["message"]) for each in events if each["message"].startswith("{")]


def test_a_receiver_that_is_not_public_is_refused_after_the_record_and_the_secret_were_read(
    stack: LocalStack, queue_url: str
) -> None:
    store(stack, JobStatus.SUCCEEDED)
    SqsWebhookQueue(stack.aws.client("sqs"), queue_url).send(JOB_ID, WebhookEvent.SUCCEEDED)
    wait_until(lambda: any("not called" in each.get("message", "") for each in log(stack)))
    (event,) = (each for each in log(stack) if "not called" in each.get("message", ""))
    assert event["message"] == "webhook not called: the host is not on the public internet"
    assert (event["job_id"], event["host"]) == (JOB_ID, "127.0.0.1")
    assert "xyzzy" not in json.dumps(log(stack))
    wait_until(lambda: messages(stack, queue_url) == (0, 0, 0))


def test_the_final_event_of_an_unfinished_job_stays_in_the_queue(stack: LocalStack, queue_url: str) -> None:
    store(stack, JobStatus.RUNNING)
    SqsWebhookQueue(stack.aws.client("sqs"), queue_url).send(JOB_ID, WebhookEvent.FAILED)
    wait_until(lambda: any("call failed" in each.get("message", "") for each in log(stack)))
    (event,) = (each for each in log(stack) if "call failed" in each.get("message", ""))
    assert (event["attempt"], event["pause_s"]) == (1, 10)
    assert sum(messages(stack, queue_url)) == 1
    stack.aws.client("sqs").purge_queue(QueueUrl=queue_url)
