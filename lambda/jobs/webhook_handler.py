"""Lambda handler of the webhook queue: makes one call for each message."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from jobs.webhooks import wiring
from jobs.webhooks.delivery import Decision
from jobs.webhooks.message import WebhookMessage
from jobs.webhooks.retries import pause_s

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> PartialItemFailureResponse:
    """Makes the calls of a batch of messages; only the messages whose calls failed return to the queue."""
    retried = [record.message_id for record in SQSEvent(event).records if _is_retried(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in retried]}


def _is_retried(record: SQSRecord) -> bool:
    message = WebhookMessage.model_validate_json(record.body)
    attempt = wiring.webhook_delivery().attempt(message)
    calls = int(record.attributes.approximate_receive_count)
    fields = {
        "job_id": message.job_id,
        "event": message.event,
        "host": attempt.host,
        "status": attempt.status,
        "attempt": calls,
    }
    if attempt.decision is Decision.DELIVERED:
        logger.info("webhook called", extra=fields)
        return False
    if attempt.decision is Decision.DROPPED:
        logger.warning("webhook not called: %s", attempt.reason, extra=fields)
        return False
    pause = pause_s(calls, attempt.retry_after_s)
    logger.warning("webhook call failed: %s", attempt.reason, extra={**fields, "pause_s": pause})
    wiring.webhook_queue().postpone(record.receipt_handle, pause)
    return True
