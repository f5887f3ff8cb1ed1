"""Settings of callers in DynamoDB."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from jobs.aws.attributes import Value, from_item, to_item
from jobs.caller import Caller
from jobs.compatibility.automatic1111.settings import NOT_SET, Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PREFIX = "settings#"
_LIFETIME = timedelta(days=30)


class DynamoDBSettings:
    """One item of the jobs table for each caller. Its id differs from every job's."""

    def __init__(self, client: "DynamoDBClient", table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def get(self, caller: Caller) -> Settings:
        response = self._client.get_item(
            TableName=self._table, Key=to_item({"id": _id_of(caller)}), ConsistentRead=True
        )
        item = response.get("Item")
        values = from_item(item) if item else None
        if values is None or values["expires_at"] <= self._clock().timestamp():
            return NOT_SET
        try:
            return Settings.model_validate_json(values["settings"])
        except ValidationError:  # of another version
            return NOT_SET

    def put(self, caller: Caller, settings: Settings) -> None:
        expires_at = int((self._clock() + _LIFETIME).timestamp())
        values: dict[str, Value] = {
            "id": _id_of(caller),
            "settings": settings.model_dump_json(exclude_none=True),
            "expires_at": expires_at,
        }
        self._client.put_item(TableName=self._table, Item=to_item(values))


def _id_of(caller: Caller) -> str:
    return _PREFIX + hashlib.sha256(caller.id.encode()).hexdigest()
