"""Job records in DynamoDB."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contract.tables import CALLERS_INDEX, UNFINISHED_INDEX
from jobs.aws.attributes import Value, from_item, size_of, to_attribute, to_item
from jobs.aws.job_items import (
    idempotency_from_values,
    idempotency_id,
    idempotency_to_values,
    job_from_values,
    job_to_values,
    unfinished_from_values,
)
from jobs.errors import JobNotFoundError, RecordTooLargeError
from jobs.job import Job, JobFilters, JobPage, UnfinishedJob
from jobs.ports import IdempotencyRecord
from jobs.prompt_text import folded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_ITEM_BYTES = 390 * 1024
"""DynamoDB's limit is 400 KB."""

_ALL_CALLERS = "*"
_FILTER_PAGE = 500
_MAX_FILTER_PAGES = 10
_MAX_BATCH_READS = 5


class DynamoDBJobRepository:
    """One item for each job, with the key `id`, and one for each idempotency key.

    The index of callers lists jobs by `list_key`: the owner, or one value for all jobs of a stage whose jobs
    are shared. The index of unfinished jobs contains the items that have `due_at`.
    """

    def __init__(self, client: "DynamoDBClient", table: str, *, shared: bool) -> None:
        self._client = client
        self._table = table
        self._shared = shared

    def create(self, job: Job, idempotency: IdempotencyRecord | None = None) -> IdempotencyRecord | None:
        item = to_item(
            {
                **_present(job_to_values(job)),
                "list_key": _ALL_CALLERS if self._shared else job.owner,
            }
        )
        is_new = "attribute_not_exists(id)"
        if idempotency is None:
            try:
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=is_new)
            except ClientError as error:
                if not _is_condition_failure(error):
                    raise
                self.get(job.id)  # the answer to the first try was lost: ids are random
            return None
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": is_new}},
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": to_item(idempotency_to_values(idempotency)),
                            "ConditionExpression": f"{is_new} OR expires_at <= :now",
                            "ExpressionAttributeValues": to_item({":now": int(job.created_at.timestamp())}),
                        }
                    },
                ]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            stored = self.find_idempotency(idempotency.key)
            if stored is None:
                raise
            return None if stored.job_id == job.id else stored
        return None

    def find_idempotency(self, key: str) -> IdempotencyRecord | None:
        values = self._read(idempotency_id(key))
        return None if values is None else idempotency_from_values(values)

    def release_idempotency(self, key: str, job_id: str) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item({"id": idempotency_id(key)}),
                ConditionExpression="job_id = :job_id",
                ExpressionAttributeValues=to_item({":job_id": job_id}),
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise

    def get(self, job_id: str) -> Job:
        values = self._read(job_id)
        if values is None:
            raise JobNotFoundError(job_id)
        return job_from_values(values)

    def save(self, job: Job) -> bool:
        values = {**job_to_values(job), "revision": job.revision + 1}
        if size_of(_present(values)) > _MAX_ITEM_BYTES:
            raise RecordTooLargeError(f"the record of job {job.id} exceeds {_MAX_ITEM_BYTES:,} bytes")
        del values["id"]
        present = _present(values)
        absent = [name for name in values if name not in present]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
        if absent:
            update += " REMOVE " + ", ".join(f"#{name}" for name in absent)
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"id": job.id}),
                UpdateExpression=update,
                ConditionExpression="#revision = :expected",
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item(
                    {f":{name}": value for name, value in present.items()} | {":expected": job.revision}
                ),
            )
        except ClientError as error:
            if not _is_condition_failure(error):
                raise
            return False
        return True

    def delete(self, job_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=to_item({"id": job_id}))

    def find(self, owner: str | None, filters: JobFilters, *, limit: int, before: str | None) -> JobPage:
        ids: list[str] = []
        last_id = before
        for _ in range(_MAX_FILTER_PAGES):
            page, last_id = self._list_ids(owner, filters, before=last_id)
            ids += page
            if len(ids) > limit or last_id is None:
                break
        if len(ids) > limit:
            ids = ids[:limit]
            last_id = ids[-1]
        found = self._read_all(ids)
        # The index may be older than the items.
        jobs = tuple(found[each] for each in ids if each in found and filters.match(found[each]))
        return JobPage(jobs=jobs, last_id=last_id)

    def overdue(self, queue: str, now: datetime) -> Iterator[str]:
        for values in self._query_unfinished(queue, due_by=now):
            yield values["id"]

    def unfinished(self, queue: str) -> Iterator[UnfinishedJob]:
        for values in self._query_unfinished(queue):
            yield unfinished_from_values(values)

    def _read(self, item_id: str) -> dict[str, Any] | None:
        response = self._client.get_item(
            TableName=self._table, Key=to_item({"id": item_id}), ConsistentRead=True
        )
        item = response.get("Item")
        return None if item is None else from_item(item)

    def _read_all(self, ids: Sequence[str]) -> dict[str, Job]:
        """The jobs by id; up to 100."""
        jobs: dict[str, Job] = {}
        request: Any = {self._table: {"Keys": [to_item({"id": each}) for each in ids]}}
        for _ in range(_MAX_BATCH_READS):
            if not request or not ids:
                break
            response = self._client.batch_get_item(RequestItems=request)
            found = (job_from_values(from_item(item)) for item in response["Responses"].get(self._table, []))
            jobs |= {job.id: job for job in found}
            request = response["UnprocessedKeys"]
        return jobs

    def _list_ids(
        self, owner: str | None, filters: JobFilters, *, before: str | None
    ) -> tuple[list[str], str | None]:
        """A page of ids that match the filters, and the id to continue before; None at the end."""
        conditions = {"status": filters.status, "model": filters.model}
        equal = {name: str(value) for name, value in conditions.items() if value is not None}
        terms = [f"#{name} = :{name}" for name in equal]
        names = {f"#{name}": name for name in equal}
        values: dict[str, Value] = {f":{name}": value for name, value in equal.items()}
        contained = {"tags": filters.tag, "searched": filters.text and folded(filters.text)}
        for name, value in contained.items():
            if value is not None:
                terms.append(f"contains(#{name}, :{name})")
                names[f"#{name}"] = name
                values[f":{name}"] = value
        key = "list_key = :list_key"
        if before is not None:
            key += " AND id < :before"
            values[":before"] = before
        optional: Any = {}
        if terms:
            optional = {"FilterExpression": " AND ".join(terms), "ExpressionAttributeNames": names}
        response = self._client.query(
            TableName=self._table,
            IndexName=CALLERS_INDEX,
            KeyConditionExpression=key,
            ExpressionAttributeValues=to_item({**values, ":list_key": owner or _ALL_CALLERS}),
            ScanIndexForward=False,
            Limit=_FILTER_PAGE,
            **optional,
        )
        last = response.get("LastEvaluatedKey")
        ids = [from_item(item)["id"] for item in response["Items"]]
        return ids, None if last is None else from_item(last)["id"]

    def _query_unfinished(self, queue: str, *, due_by: datetime | None = None) -> Iterator[dict[str, Any]]:
        condition = "queue = :queue"
        values = {":queue": to_attribute(queue)}
        if due_by is not None:
            condition += " AND due_at <= :due_by"
            values[":due_by"] = to_attribute(due_by.timestamp())
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=UNFINISHED_INDEX,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
        )
        for page in pages:
            yield from map(from_item, page["Items"])


def _present(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}


def _is_condition_failure(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"
