"""Measured times in DynamoDB."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.aws.attributes import Value, from_item, to_item
from jobs.ports import Waking

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_MEASUREMENTS = 20
_MAX_WORKLOADS = 100
"""DynamoDB's limit for the items of one BatchGetItem."""


class DynamoDBEstimates:
    """One item for each workload and each queue, with its latest measurements.

    Two functions that add a measurement at the same time may lose one of them, which does not matter here.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add_processing(self, workload: str, seconds_per_unit: float) -> None:
        known = self.processing((workload,)).get(workload, ())
        seconds = (*known, seconds_per_unit)[-_MAX_MEASUREMENTS:]
        self._put({"id": _processing_id(workload), "seconds": _to_texts(seconds)})

    def processing(self, workloads: Iterable[str]) -> dict[str, tuple[float, ...]]:
        ids = {_processing_id(each): each for each in list(workloads)[:_MAX_WORKLOADS]}
        if not ids:
            return {}
        request: Any = {self._table: {"Keys": [to_item({"id": each}) for each in ids]}}
        response = self._client.batch_get_item(RequestItems=request)
        items = map(from_item, response["Responses"].get(self._table, []))
        return {ids[item["id"]]: _from_texts(item["seconds"]) for item in items}

    def waking(self, queue: str) -> Waking:
        response = self._client.get_item(TableName=self._table, Key=to_item({"id": _waking_id(queue)}))
        item = from_item(response.get("Item", {}))
        since = item.get("since")
        return Waking(
            since=since and datetime.fromisoformat(since), seconds=_from_texts(item.get("seconds", ()))
        )

    def set_waking(self, queue: str, waking: Waking) -> None:
        since: dict[str, Value] = {"since": waking.since.isoformat()} if waking.since else {}
        self._put({"id": _waking_id(queue), "seconds": _to_texts(waking.seconds), **since})

    def _put(self, values: dict[str, Value]) -> None:
        self._client.put_item(TableName=self._table, Item=to_item(values))


def _processing_id(workload: str) -> str:
    return f"processing#{workload}"


def _waking_id(queue: str) -> str:
    return f"waking#{queue}"


def _to_texts(numbers: Iterable[float]) -> tuple[str, ...]:
    return tuple(map(repr, numbers))


def _from_texts(texts: Iterable[str]) -> tuple[float, ...]:
    return tuple(map(float, texts))
