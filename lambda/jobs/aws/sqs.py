"""The webhook queue in SQS."""

from typing import TYPE_CHECKING

from contract.submission import WebhookEvent
from jobs.webhooks.message import WebhookMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsWebhookQueue:
    """The queue of webhook messages."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, job_id: str, event: WebhookEvent) -> None:
        message = WebhookMessage(job_id=job_id, event=event)
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=message.model_dump_json())

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        """Delays the next delivery of a message that was received."""
        self._sqs.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )
