"""Inputs, images, progress and cancellation markers in the data bucket."""

import io
import json
import logging
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from urllib3 import HTTPResponse

from contract.generation import InvalidRequestError
from contract.identifiers import InvocationId, S3Location, new_job_id
from contract.keys import cancellation_key
from contract.problem import ErrorCode
from contract.progress import Phase, Progress
from inference.data_bucket import DataBucket, create_s3_client
from inference.engine.errors import InputError
from tests.inference.fake_engine import BUCKET

PROGRESS = Progress(phase=Phase.DENOISING, step=1, total_steps=4)


def fetch(s3: Any, uri: str, max_bytes: int = 10) -> bytes:
    target = io.BytesIO()
    bucket = DataBucket(s3, BUCKET)
    bucket.fetch(uri, target, pointer="#/input_image", max_bytes=max_bytes, check=lambda: None)
    return target.getvalue()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "s3.us-east-1.amazonaws.com"),
        ("eu-south-2", "s3.eu-south-2.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_requests_of_the_container_go_to_the_buckets_host_in_the_region(
    monkeypatch: pytest.MonkeyPatch, region: str, host: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    client = create_s3_client()
    requested: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        requested.append(str(request.url))
        return AWSResponse(str(request.url), 200, {}, HTTPResponse(io.BytesIO(), preload_content=False))

    client.meta.events.register_first("before-send.s3", answer)
    DataBucket(client, "data").store_image(S3Location("data", "outputs/J/0.png"), b"x", "image/png")
    assert requested == [f"https://data.{host}/outputs/J/0.png"]


def test_an_input_is_fetched(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"0123456789")
    assert fetch(s3, "s3://data/inputs/a") == b"0123456789"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://data/inputs/none", "does not exist"),
        ("s3://no-bucket/a", "is in a bucket that does not exist"),
        ("s3://no bucket/a", "has no valid bucket name"),
    ],
)
def test_a_missing_input_is_an_error_with_its_uri(s3: Any, uri: str, message: str) -> None:
    with pytest.raises(InputError, match=f"input_image: {uri} {message}") as caught:
        fetch(s3, uri)
    assert caught.value.code is ErrorCode.INPUT_FETCH_FAILED


def test_an_input_over_the_size_limit_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"0123456789")
    with pytest.raises(InputError, match="has 10 bytes; at most 9 are accepted") as caught:
        fetch(s3, "s3://data/inputs/a", max_bytes=9)
    assert caught.value.code is ErrorCode.INPUT_IMAGE_TOO_LARGE


def client_with_error(code: str, operation: str = "get_object") -> Any:
    """A client whose first two calls, of this operation, fail."""
    client = boto3.client("s3")
    stub = Stubber(client)
    for _ in range(2):
        stub.add_client_error(operation, code)
    stub.activate()
    return client


def test_access_denied_is_an_input_error() -> None:
    with pytest.raises(InputError, match="cannot be read: the service has no permission"):
        fetch(client_with_error("AccessDenied"), "s3://data/inputs/a")


def test_an_error_of_s3_is_not_an_input_error() -> None:
    with pytest.raises(ClientError):
        fetch(client_with_error("InternalError"), "s3://data/inputs/a")


def test_a_truncated_download_is_an_error() -> None:
    client = boto3.client("s3")
    with Stubber(client) as stub:
        truncated = StreamingBody(io.BytesIO(b"01234"), content_length=10)
        stub.add_response("get_object", {"Body": truncated, "ContentLength": 10})
        with pytest.raises(IncompleteReadError):
            fetch(client, "s3://data/inputs/a")


def test_a_failing_check_ends_a_download(s3: Any) -> None:
    def check() -> None:
        raise TimeoutError("the job has ended")

    s3.put_object(Bucket=BUCKET, Key="inputs/a", Body=b"0123456789")
    target = io.BytesIO()
    with pytest.raises(TimeoutError):
        DataBucket(s3, BUCKET).fetch(
            "s3://data/inputs/a", target, pointer="#/input_image", max_bytes=10, check=check
        )
    assert target.getvalue() == b""


def test_an_image_is_stored_with_its_media_type(s3: Any) -> None:
    DataBucket(s3, BUCKET).store_image(S3Location(BUCKET, "outputs/J/1.png"), b"png", "image/png")
    stored = s3.get_object(Bucket=BUCKET, Key="outputs/J/1.png")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"png", "image/png")


def test_progress_is_stored(s3: Any) -> None:
    DataBucket(s3, BUCKET).store_progress("J", PROGRESS)
    stored = json.loads(s3.get_object(Bucket=BUCKET, Key="progress/J.json")["Body"].read())
    assert stored == {"phase": "denoising", "step": 1, "total_steps": 4, "preview_step": None}


def test_progress_that_cannot_be_stored_is_logged(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        DataBucket(s3, "no-bucket").store_progress("J", PROGRESS)
    assert "progress could not be stored" in caplog.text


@pytest.mark.parametrize(
    ("code", "reason"), [("AccessDenied", "no permission to write"), ("NoSuchBucket", "does not exist")]
)
def test_a_bucket_of_the_request_that_does_not_accept_an_image_is_the_requests_fault(
    code: str, reason: str
) -> None:
    bucket = DataBucket(client_with_error(code, "put_object"), BUCKET)
    with pytest.raises(InvalidRequestError, match=reason) as raised:
        bucket.store_image(S3Location("elsewhere", "a/J/0.png"), b"png", "image/png")
    assert raised.value.errors[0].pointer == "#/output_s3_uri"
    with pytest.raises(ClientError):
        bucket.store_image(S3Location(BUCKET, "outputs/J/0.png"), b"png", "image/png")


def test_a_start_and_a_preview_are_stored_under_the_contracts_keys(s3: Any) -> None:
    bucket, job_id = DataBucket(s3, BUCKET), new_job_id()
    bucket.store_start(InvocationId(job_id, 2))
    assert bucket.store_preview(job_id, b"jpeg")
    start = s3.get_object(Bucket=BUCKET, Key=f"starts/{job_id}-2")
    preview = s3.get_object(Bucket=BUCKET, Key=f"previews/{job_id}.jpg")
    assert (start["Body"].read(), preview["Body"].read()) == (b"", b"jpeg")
    assert preview["ContentType"] == "image/jpeg"


def test_a_start_or_a_preview_that_cannot_be_stored_is_logged(
    s3: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bucket = DataBucket(s3, "no-bucket")
    with caplog.at_level(logging.WARNING):
        bucket.store_start(InvocationId(new_job_id(), 1))
        assert not bucket.store_preview("J", b"jpeg")
    assert "the start of a job could not be stored" in caplog.text
    assert "a preview could not be stored" in caplog.text


def test_a_job_is_canceled_once_its_marker_exists(s3: Any) -> None:
    assert not DataBucket(s3, BUCKET).is_canceled("J")
    s3.put_object(Bucket=BUCKET, Key=cancellation_key("J"), Body=b"")
    assert DataBucket(s3, BUCKET).is_canceled("J")


def test_a_marker_that_cannot_be_read_is_logged_and_cancels_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not DataBucket(client_with_error("AccessDenied"), BUCKET).is_canceled("J")
    assert "the cancellation marker could not be read" in caplog.text
