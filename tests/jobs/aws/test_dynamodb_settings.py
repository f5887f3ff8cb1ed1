"""Settings of callers in DynamoDB."""

from datetime import timedelta
from typing import Any

import boto3
import pytest

from jobs.aws.attributes import from_item, to_item
from jobs.aws.dynamodb_settings import DynamoDBSettings
from jobs.caller import Caller
from jobs.compatibility.automatic1111.settings import NOT_SET, Settings
from tests.jobs.fakes import CALLER, NOW

TABLE = "jobs"
CHOSEN = Settings(sd_model_checkpoint="other", CLIP_stop_at_last_layers=2, live_previews_enable=False)


@pytest.fixture
def client(aws: None) -> Any:
    client = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    return client


def settings_at(client: Any, days: float = 0) -> DynamoDBSettings:
    return DynamoDBSettings(client, TABLE, clock=lambda: NOW + timedelta(days=days))


def test_settings_are_kept_by_caller(client: Any) -> None:
    store = settings_at(client)
    assert store.get(CALLER) == NOT_SET
    store.put(CALLER, CHOSEN)
    assert store.get(CALLER) == CHOSEN
    assert store.get(Caller("key:other")) == NOT_SET
    store.put(CALLER, NOT_SET)
    assert store.get(CALLER) == NOT_SET


def test_settings_are_kept_for_30_days(client: Any) -> None:
    settings_at(client).put(CALLER, CHOSEN)
    assert settings_at(client, days=29.9).get(CALLER) == CHOSEN
    assert settings_at(client, days=30).get(CALLER) == NOT_SET
    (item,) = client.scan(TableName=TABLE)["Items"]
    assert from_item(item)["expires_at"] == int((NOW + timedelta(days=30)).timestamp())


def test_the_callers_id_is_not_stored(client: Any) -> None:
    settings_at(client).put(CALLER, CHOSEN)
    assert CALLER.id not in str(client.scan(TableName=TABLE)["Items"])


def test_settings_of_another_version_are_not_used(client: Any) -> None:
    store = settings_at(client)
    store.put(CALLER, CHOSEN)
    (item,) = client.scan(TableName=TABLE)["Items"]
    client.put_item(TableName=TABLE, Item={**item, **to_item({"settings": '{"gone": 1}'})})
    assert store.get(CALLER) == NOT_SET
