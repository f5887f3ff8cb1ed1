"""The completion queue's side: each message is a notice that an invocation has ended."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from jobs import wiring
from jobs.completion import Notice
from jobs.errors import JobNotFoundError

logger = Logger()
_processor = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Settles the jobs of a batch; what fails goes back to the queue, alone."""
    return process_partial_response(
        event=event, record_handler=_settle, processor=_processor, context=context
    )


def _settle(record: SQSRecord) -> None:
    notice = Notice.model_validate_json(record.body)
    try:
        settled = wiring.completion().settle(notice)
    except JobNotFoundError:
        logger.warning("no job belongs to the invocation", extra={"inference_id": notice.inference_id})
        return
    logger.info("job settled" if settled else "job had ended before", extra={"job_id": notice.inference_id})
