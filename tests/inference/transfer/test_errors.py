import errno

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError

from contract.identifiers import S3Location
from inference.transfer.errors import TransferError, TransferFailure, transfer_errors

LOCATION = S3Location("models", "a")


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "test"}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "failure", "message"),
    [
        (client_error("NoSuchKey"), TransferFailure.NOT_FOUND, "s3://models/a does not exist"),
        (client_error("404"), TransferFailure.NOT_FOUND, "s3://models/a does not exist"),
        (client_error("AccessDenied"), TransferFailure.ACCESS_DENIED, "check the role's permissions"),
        (client_error("412"), TransferFailure.CHANGED, "changed during the download"),
        (client_error("SlowDown"), TransferFailure.INTERRUPTED, r"could not be transferred \(SlowDown\)"),
        (OSError(errno.ENOSPC, "test"), TransferFailure.DISK_FULL, "does not fit on the disk"),
        (OSError(errno.EIO, "test"), TransferFailure.INTERRUPTED, r"\(OSError\); try again"),
        (EndpointConnectionError(endpoint_url="s3"), TransferFailure.INTERRUPTED, "EndpointConnectionError"),
        (ValueError("test"), TransferFailure.INTERRUPTED, "ValueError"),
        (S3UploadFailedError("test"), TransferFailure.INTERRUPTED, "S3UploadFailedError"),
    ],
)
def test_errors_are_raised_as_transfer_errors(
    error: Exception, failure: TransferFailure, message: str
) -> None:
    with pytest.raises(TransferError, match=message) as caught, transfer_errors(LOCATION):
        raise error
    assert caught.value.failure is failure
    assert caught.value.__cause__ is error


def fail_upload() -> None:
    """Raises as boto3 does: the ClientError is only the context of the error."""
    try:
        raise client_error("NoSuchBucket")
    except ClientError:
        raise S3UploadFailedError("test")  # noqa: B904


def test_the_cause_of_a_failed_upload_is_named() -> None:
    with pytest.raises(TransferError) as caught, transfer_errors(LOCATION):
        fail_upload()
    assert caught.value.failure is TransferFailure.NOT_FOUND


def test_a_transfer_error_is_not_wrapped_again() -> None:
    original = TransferError(TransferFailure.CHECKSUM_MISMATCH, LOCATION)
    with pytest.raises(TransferError) as caught, transfer_errors(S3Location("models", "b")):
        raise original
    assert caught.value is original
