"""Lambda handler of the completion queue: finishes one job for each message."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from jobs import wiring
from jobs.completion import CompletionMessage
from jobs.errors import JobNotFoundError

logger = Logger()
_processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Finishes the jobs of a batch of messages; only the messages that failed return to the queue."""
    return process_partial_response(
        event=event, record_handler=_finish_job, processor=_processor, context=context
    )


def _finish_job(record: SQSRecord) -> None:
    message = CompletionMessage.model_validate_json(record.body)
    try:
        finished = wiring.completion_service().finish(message)
    except JobNotFoundError:
        logger.warning("no job has this inference id", extra={"inference_id": message.inference_id})
        return
    logger.info(
        "job finished" if finished else "job had already ended", extra={"job_id": message.inference_id}
    )
