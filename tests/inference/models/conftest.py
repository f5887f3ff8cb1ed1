import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def model(demo_model: Path, tmp_path: Path) -> Path:
    """A copy of the demo model's directory."""
    return Path(shutil.copytree(demo_model, tmp_path / "demo"))


@pytest.fixture
def s3() -> Iterator[Any]:
    """A client of an S3 with an empty bucket `models`."""
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="models")
        yield client
