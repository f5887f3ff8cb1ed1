"""Uploads to S3, skipping objects that already have the content."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contract.identifiers import S3Location
from inference.transfer.errors import TransferFailure, failure_of, transfer_errors
from inference.transfer.s3 import folder, head_object, object_checksum, run_concurrently

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONCURRENT_FILES = 4


def upload(s3: "S3Client", source: Path, target: S3Location) -> None:
    """Uploads a file, unless the object already has its content.

    Raises:
        TransferError: the upload failed.
    """
    with transfer_errors(target):
        try:
            head = head_object(s3, target)
        except ClientError as error:
            if failure_of(error) not in (TransferFailure.NOT_FOUND, TransferFailure.ACCESS_DENIED):
                raise  # S3 answers 403 for a missing object to a caller without s3:ListBucket
        else:
            checksum = object_checksum(s3, target, head)
            if checksum and head["ContentLength"] == source.stat().st_size and checksum.matches(source):
                return
        s3.upload_file(str(source), *target, ExtraArgs={"ChecksumAlgorithm": "SHA256"})


def upload_directory(s3: "S3Client", directory: Path, prefix: S3Location) -> None:
    """Uploads all files of a directory; see `upload`.

    Raises:
        TransferError: an upload failed.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    with ThreadPoolExecutor(_CONCURRENT_FILES) as threads:
        run_concurrently(
            threads,
            (
                partial(
                    upload,
                    s3,
                    path,
                    S3Location(prefix.bucket, folder(prefix) + path.relative_to(directory).as_posix()),
                )
                for path in files
            ),
        )
