"""Errors of transfers, from S3's error codes and from the file system."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from contract.identifiers import S3Location


class TransferFailure(StrEnum):
    """The cause of a failed transfer."""

    NOT_FOUND = "not_found"
    ACCESS_DENIED = "access_denied"
    UNSAFE_KEY = "unsafe_key"
    DISK_FULL = "disk_full"
    CHANGED = "changed"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    INTERRUPTED = "interrupted"


_BY_S3_CODE = {
    "NoSuchKey": TransferFailure.NOT_FOUND,
    "NoSuchBucket": TransferFailure.NOT_FOUND,
    "404": TransferFailure.NOT_FOUND,
    "AccessDenied": TransferFailure.ACCESS_DENIED,
    "403": TransferFailure.ACCESS_DENIED,
    "PreconditionFailed": TransferFailure.CHANGED,
    "412": TransferFailure.CHANGED,
    "InvalidRange": TransferFailure.CHANGED,
}
_MESSAGES = {
    TransferFailure.NOT_FOUND: "{uri} does not exist; correct the URI, or upload the files.",
    TransferFailure.ACCESS_DENIED: (
        "Access to {uri} was denied, or it does not exist; check the role's permissions and the URI."
    ),
    TransferFailure.UNSAFE_KEY: "{uri} would be written outside the target directory; rename the object.",
    TransferFailure.DISK_FULL: (
        "{uri} does not fit on the disk; free disk space, or choose a machine with a larger disk."
    ),
    TransferFailure.CHANGED: "{uri} changed during the download; try again when its upload is complete.",
    TransferFailure.CHECKSUM_MISMATCH: "{uri} does not match its checksum after the download; try again.",
    TransferFailure.INTERRUPTED: "{uri} could not be transferred ({cause}); try again.",
}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class TransferError(Exception):
    """A transfer failed; the message names the object.

    Attributes:
        failure: the cause.
    """

    def __init__(self, failure: TransferFailure, location: S3Location, *, cause: str = "") -> None:
        super().__init__(_MESSAGES[failure].format(uri=location.uri, cause=cause))
        self.failure = failure


@contextmanager
def transfer_errors(location: S3Location) -> Iterator[None]:
    """Raises boto3's and the file system's errors from the block as TransferError."""
    try:
        yield
    except (ClientError, S3UploadFailedError) as error:
        response = error if isinstance(error, ClientError) else error.__context__
        if not isinstance(response, ClientError):
            raise TransferError(TransferFailure.INTERRUPTED, location, cause=type(error).__name__) from error
        raise TransferError(failure_of(response), location, cause=_code(response)) from error
    except OSError as error:
        failure = TransferFailure.DISK_FULL if error.errno in _DISK_FULL else TransferFailure.INTERRUPTED
        raise TransferError(failure, location, cause=type(error).__name__) from error
    except (BotoCoreError, ValueError) as error:
        raise TransferError(TransferFailure.INTERRUPTED, location, cause=type(error).__name__) from error


def failure_of(error: ClientError) -> TransferFailure:
    """The cause for S3's error code."""
    return _BY_S3_CODE.get(_code(error), TransferFailure.INTERRUPTED)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
