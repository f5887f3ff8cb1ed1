import io
import json
import logging
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from contract.keys import cancellation_key
from contract.options import OutputFormat
from contract.problem import ErrorCode
from contract.progress import Phase, Progress
from inference.data_bucket import DataBucket
from inference.engine.errors import InputError
from tests.inference.fake_engine import BUCKET

PROGRESS = Progress(phase=Phase.DENOISING, step=1, total_steps=4)


def fetch(s3: Any, uri: str, max_bytes: int = 10) -> bytes:
    return DataBucket(s3, BUCKET).fetch(uri, pointer="#/input_image", max_bytes=max_bytes)


def test_an_input_is_read(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"0123456789")
    assert fetch(s3, "s3://data/inputs/a") == b"0123456789"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://data/inputs/none", "does not exist"),
        ("s3://no-bucket/a", "is in a bucket that does not exist"),
        ("s3://no bucket/a", "names no bucket"),
    ],
)
def test_an_input_that_is_missing_is_named(s3: Any, uri: str, words: str) -> None:
    with pytest.raises(InputError, match=f"input_image: {uri} {words}") as caught:
        fetch(s3, uri)
    assert caught.value.code is ErrorCode.INPUT_FETCH_FAILED


def test_an_input_that_is_too_large_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"0123456789")
    with pytest.raises(InputError, match="has 10 bytes; 9 are accepted") as caught:
        fetch(s3, "s3://data/inputs/a", max_bytes=9)
    assert caught.value.code is ErrorCode.INPUT_IMAGE_TOO_LARGE


def stubbed(code: str) -> Any:
    client = boto3.client("s3")
    stub = Stubber(client)
    stub.add_client_error("get_object", code)
    stub.activate()
    return client


def test_an_input_that_may_not_be_read_is_the_clients_fault() -> None:
    with pytest.raises(InputError, match="may not be read by the service"):
        fetch(stubbed("AccessDenied"), "s3://data/inputs/a")


def test_a_fault_of_s3_is_not_blamed_on_the_client() -> None:
    with pytest.raises(ClientError):
        fetch(stubbed("InternalError"), "s3://data/inputs/a")


def test_an_input_that_breaks_off_is_not_taken_for_whole() -> None:
    client = boto3.client("s3")
    with Stubber(client) as stub:
        half = StreamingBody(io.BytesIO(b"01234"), content_length=10)
        stub.add_response("get_object", {"Body": half, "ContentLength": 10})
        with pytest.raises(IncompleteReadError):
            fetch(client, "s3://data/inputs/a")


def test_an_image_is_kept_under_the_contracts_key(s3: Any) -> None:
    assert DataBucket(s3, BUCKET).store_image("J", 1, b"png", OutputFormat.PNG) == "s3://data/outputs/J/1.png"
    stored = s3.get_object(Bucket=BUCKET, Key="outputs/J/1.png")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"png", "image/png")


def test_progress_is_kept(s3: Any) -> None:
    DataBucket(s3, BUCKET).store_progress("J", PROGRESS)
    stored = json.loads(s3.get_object(Bucket=BUCKET, Key="progress/J.json")["Body"].read())
    assert stored == {"phase": "denoising", "step": 1, "total_steps": 4}


def test_progress_that_cannot_be_kept_is_logged_and_forgotten(
    s3: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        DataBucket(s3, "no-bucket").store_progress("J", PROGRESS)
    assert "progress was not stored" in caplog.text


def test_a_job_is_canceled_once_its_marker_is_there(s3: Any) -> None:
    assert not DataBucket(s3, BUCKET).is_canceled("J")
    s3.put_object(Bucket=BUCKET, Key=cancellation_key("J"), Body=b"")
    assert DataBucket(s3, BUCKET).is_canceled("J")


def test_a_marker_that_cannot_be_read_cancels_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not DataBucket(stubbed("AccessDenied"), BUCKET).is_canceled("J")
    assert "the cancellation marker was not read" in caplog.text
