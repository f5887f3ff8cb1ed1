from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.inference.fakes import BUCKET


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
