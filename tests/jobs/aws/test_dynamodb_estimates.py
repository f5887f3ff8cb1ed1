from typing import Any

import boto3
import pytest

from jobs.aws.dynamodb_estimates import DynamoDBEstimates
from jobs.ports import Estimates, Waking
from tests.jobs.fakes import NOW, InMemoryEstimates


@pytest.fixture
def dynamodb(aws: None) -> DynamoDBEstimates:
    client: Any = boto3.client("dynamodb")
    client.create_table(
        TableName="estimates",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    return DynamoDBEstimates(client, "estimates")


@pytest.fixture(params=["DynamoDB", "memory"])
def estimates(request: pytest.FixtureRequest) -> Estimates:
    return InMemoryEstimates() if request.param == "memory" else request.getfixturevalue("dynamodb")


def test_measurements_are_returned_by_workload(estimates: Estimates) -> None:
    assert estimates.processing(()) == {}
    for seconds in (0.1, 1e-7, 2.0):
        estimates.add_processing("a/512x512", seconds)
    estimates.add_processing("b/512x512", 3.0)
    assert estimates.processing(["a/512x512", "b/512x512", "c/512x512"]) == {
        "a/512x512": (0.1, 1e-7, 2.0),
        "b/512x512": (3.0,),
    }


def test_waking_times_are_stored_for_each_queue(estimates: Estimates) -> None:
    assert estimates.waking("demo") == Waking()
    for waking in (Waking(since=NOW, seconds=(1.5, 2.0)), Waking(seconds=(1.5,)), Waking(since=NOW)):
        estimates.set_waking("demo", waking)
        assert estimates.waking("demo") == waking
    assert estimates.waking("other") == Waking()


def test_only_the_latest_20_measurements_are_kept(dynamodb: DynamoDBEstimates) -> None:
    for number in range(25):
        dynamodb.add_processing("a", float(number))
    assert dynamodb.processing(["a"]) == {"a": tuple(map(float, range(5, 25)))}
