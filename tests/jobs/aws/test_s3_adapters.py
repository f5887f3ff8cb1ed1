import itertools
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from contract.adapters import CONTROLNET, LORA, AdapterKind
from jobs.aws.s3_adapters import CLIENT, S3AdapterObjects
from jobs.errors import AdaptersUnavailableError
from jobs.ports import AdapterObjects
from tests.jobs.fakes import NOW, InMemoryAdapterObjects

MODELS = "models"
LATER = time.monotonic() + 3600
FILES = {
    "adapters/controlnets/canny/": 0,
    "adapters/controlnets/canny/config.json": 2,
    "adapters/controlnets/canny/model.safetensors": 5,
    "adapters/loras/": 0,
    "adapters/loras/moon.safetensors": 4,
    "adapters/loras/notes/moon.safetensors": 3,
    "adapters/loras/sun.safetensors": 1,
    "demo/model.json": 1,
}


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3", config=CLIENT)
    client.create_bucket(Bucket=MODELS)
    for key, size in FILES.items():
        client.put_object(Bucket=MODELS, Key=key, Body=b"x" * size)
    return client


@pytest.fixture(params=["S3", "memory"])
def objects(request: pytest.FixtureRequest) -> AdapterObjects:
    if request.param == "S3":
        return S3AdapterObjects(request.getfixturevalue("s3"), MODELS)
    memory = InMemoryAdapterObjects()
    for key, size in FILES.items():
        memory.put(key, size)
    return memory


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (LORA, {"moon.safetensors": 4, "sun.safetensors": 1}),
        (CONTROLNET, {"canny/config.json": 2, "canny/model.safetensors": 5}),
    ],
)
def test_the_objects_of_a_kind_are_listed_with_their_sizes(
    objects: AdapterObjects, kind: AdapterKind, found: dict[str, int]
) -> None:
    listed = {each.key.removeprefix(kind.prefix): each.size for each in objects.of(kind, until=LATER)}
    assert listed == found
    assert all(each.modified_at.tzinfo for each in objects.of(kind, until=LATER))


def test_a_missing_bucket_is_unavailable(s3: Any) -> None:
    with pytest.raises(AdaptersUnavailableError, match="could not list the LoRAs; try again later"):
        list(S3AdapterObjects(s3, "no-such-bucket").of(LORA, until=LATER))


@pytest.fixture
def long(s3: Any) -> Iterator[Any]:
    """A client whose listings have 60 pages."""
    an_object = {"Key": "adapters/loras/a", "Size": 1, "LastModified": NOW}
    with Stubber(s3) as stub:
        for number in range(60):
            page = {"IsTruncated": True, "NextContinuationToken": str(number), "Contents": [an_object]}
            stub.add_response("list_objects_v2", page)
        yield s3


def test_no_more_than_twenty_pages_are_read(long: Any) -> None:
    assert sum(1 for _ in S3AdapterObjects(long, MODELS).of(LORA, until=LATER)) == 20


def test_a_listing_ends_in_time(long: Any) -> None:
    seconds = itertools.count()
    found = S3AdapterObjects(long, MODELS, clock=lambda: float(next(seconds))).of(LORA, until=3)
    assert [next(found).size for _ in range(4)] == [1] * 4
    with pytest.raises(AdaptersUnavailableError, match="did not list the LoRAs in time"):
        next(found)


def test_a_listing_that_comes_too_late_does_not_begin(objects: AdapterObjects) -> None:
    with pytest.raises(AdaptersUnavailableError):
        list(objects.of(LORA, until=time.monotonic() - 1))


def test_a_page_that_does_not_arrive_leaves_time_for_an_answer() -> None:
    attempts = CLIENT.retries["total_max_attempts"]
    assert attempts * (CLIENT.connect_timeout + CLIENT.read_timeout) == 8
