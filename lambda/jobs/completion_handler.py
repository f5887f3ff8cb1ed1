"""Lambda handler of the completion queue: starts or finishes one job for each message."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from jobs import wiring
from jobs.completion_messages import StartMessage, parse_message
from jobs.errors import JobNotFoundError

logger = Logger()
_processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Processes a batch of messages; only the messages that failed return to the queue."""
    return process_partial_response(
        event=event, record_handler=_process, processor=_processor, context=context
    )


def _process(record: SQSRecord) -> None:
    message, service = parse_message(record.body), wiring.completion_service()
    job_id = message.invocation.job_id
    try:
        if isinstance(message, StartMessage):
            changed = service.start(message.invocation, message.time)
        else:
            changed = service.finish(message)
    except JobNotFoundError:
        logger.info("the job was deleted", extra={"job_id": job_id})
        return
    kind = type(message).__name__
    logger.info(
        "job changed" if changed else "nothing changed", extra={"job_id": job_id, "message_type": kind}
    )
