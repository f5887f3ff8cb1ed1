import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import botocore.session
import pytest
from moto import mock_aws

from contract.submission import WebhookEvent
from jobs.aws.sqs import SqsWebhookQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

JOB_ID = "01JNTXWQ8M6V3S0K2B9Z4RAHCE"


@pytest.fixture
def sqs() -> Iterator["SQSClient"]:
    with mock_aws():
        yield botocore.session.get_session().create_client("sqs", region_name="us-east-1")


def test_a_message_names_the_job_and_the_event(sqs: "SQSClient") -> None:
    url = sqs.create_queue(QueueName="webhooks")["QueueUrl"]
    SqsWebhookQueue(sqs, url).send(JOB_ID, WebhookEvent.SUCCEEDED)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"job_id": JOB_ID, "event": "succeeded"}


def test_a_postponed_message_is_invisible_for_the_pause(sqs: "SQSClient") -> None:
    url = sqs.create_queue(QueueName="webhooks", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    queue = SqsWebhookQueue(sqs, url)
    queue.send(JOB_ID, WebhookEvent.FAILED)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    queue.postpone(message["ReceiptHandle"], 0)
    assert [each["MessageId"] for each in sqs.receive_message(QueueUrl=url)["Messages"]] == [
        message["MessageId"]
    ]
