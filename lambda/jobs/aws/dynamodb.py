"""Job records in DynamoDB."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase
from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from contract.generation import Generation
from contract.problem import Problem
from contract.result import ImageResult, ResultDetails
from jobs.errors import JobExistsError, JobNotFoundError
from jobs.job import Invocation, Job, JobStatus, Outcome

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_LOGGER = logging.getLogger(__name__)
_MAX_RESULT_BYTES = 64 * 1024
"""An item of DynamoDB has at most 400 KB; the request and the images need up to 200 KB."""

_IMAGES = TypeAdapter(tuple[ImageResult, ...])


class DynamoDBJobRepository:
    """One item per job, with the key `id`. Documents are stored as JSON text, which keeps floats exact."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def create(self, job: Job) -> None:
        item = {
            "id": job.id,
            "status": job.status.value,
            "created_at": job.created_at.isoformat(),
            "expires_at": int(job.expires_at.timestamp()),
            "generation": job.generation.model_dump_json(),
        }
        try:
            self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(id)")
        except ClientError as error:
            if not _is_condition_failure(error):
                raise
            raise JobExistsError(job.id) from error

    def get(self, job_id: str) -> Job:
        item = self._table.get_item(Key={"id": job_id}, ConsistentRead=True).get("Item")
        if item is None:
            raise JobNotFoundError(job_id)
        return _from_item(item)

    def set_invocation(self, job_id: str, invocation: Invocation) -> None:
        values = {
            "output_location": invocation.output_location,
            "failure_location": invocation.failure_location,
        }
        if not self._update(job_id, values, Attr("id").exists()):
            raise JobNotFoundError(job_id)

    def request_cancellation(self, job_id: str) -> bool:
        return self._update_queued(job_id, {"cancel_requested": True})

    def finish(self, job_id: str, outcome: Outcome, finished_at: datetime) -> bool:
        values = {
            "status": outcome.status.value,
            "finished_at": finished_at.isoformat(),
            "images": _IMAGES.dump_json(outcome.images).decode(),
            "result": _result_json(job_id, outcome.result),
            "error": outcome.error.model_dump_json() if outcome.error else None,
        }
        return self._update_queued(job_id, values)

    def _update_queued(self, job_id: str, values: Mapping[str, str | bool | None]) -> bool:
        """Sets the values that are not None. Returns False if the job has ended."""
        updated = self._update(job_id, values, Attr("status").eq(JobStatus.QUEUED.value))
        if not updated:
            self.get(job_id)  # raises JobNotFoundError if there is no item
        return updated

    def _update(self, job_id: str, values: Mapping[str, str | bool | None], condition: ConditionBase) -> bool:
        """Sets the values that are not None. Returns False if the condition does not hold."""
        present = {name: value for name, value in values.items() if value is not None}
        try:
            self._table.update_item(
                Key={"id": job_id},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in present),
                ExpressionAttributeNames={f"#{name}": name for name in present},
                ExpressionAttributeValues={f":{name}": value for name, value in present.items()},
                ConditionExpression=condition,
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise
            return False
        return True


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _result_json(job_id: str, result: ResultDetails | None) -> str | None:
    """The JSON text; None if it is too large for the item."""
    text = result.model_dump_json() if result else None
    if text is not None and len(text.encode()) > _MAX_RESULT_BYTES:
        _LOGGER.warning("job %s: the result is too large for the job's record and is left out", job_id)
        return None
    return text


def _from_item(item: Mapping[str, Any]) -> Job:
    output_location, error = item.get("output_location"), item.get("error")
    finished_at, result = item.get("finished_at"), item.get("result")
    return Job(
        generation=Generation.model_validate_json(item["generation"]),
        status=JobStatus(item["status"]),
        created_at=datetime.fromisoformat(item["created_at"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]), UTC),
        invocation=output_location
        and Invocation(output_location=output_location, failure_location=item.get("failure_location")),
        finished_at=finished_at and datetime.fromisoformat(finished_at),
        images=_IMAGES.validate_json(item.get("images", "[]")),
        result=result and ResultDetails.model_validate_json(result),
        error=error and Problem.model_validate_json(error),
        cancel_requested=item.get("cancel_requested", False),
    )
