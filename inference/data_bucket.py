"""Access to the data bucket: input images, output images, progress and cancellation markers."""

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from contract.identifiers import S3Location
from contract.keys import cancellation_key, output_key, progress_key
from contract.options import OutputFormat
from contract.problem import ErrorCode
from contract.progress import Progress
from inference.engine.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOGGER = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 20
_CLIENT_ERRORS = {
    "NoSuchKey": "does not exist",
    "KeyTooLongError": "does not exist",
    "404": "does not exist",
    "NoSuchBucket": "is in a bucket that does not exist",
    "InvalidBucketName": "is in a bucket that does not exist",
    "InvalidObjectState": "is archived; restore it first",
    "AccessDenied": "cannot be read: the service has no permission",
    "403": "cannot be read: the service has no permission",
}
"""By S3's error code, the fault of a request that names the object; other codes are faults of S3."""


class DataBucket:
    """Reads input images, and stores the output images and the progress of jobs."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self._name = name

    def fetch(
        self, uri: str, target: BinaryIO, *, pointer: str, max_bytes: int, check: Callable[[], None]
    ) -> None:
        """Downloads an input.

        Args:
            uri: `s3://` URI, of any bucket.
            target: the file to write to.
            pointer: JSON pointer to the request's field that names it, for the error.
            max_bytes: limit on the object's size, checked before it is downloaded.
            check: called between chunks; its exceptions end the download.

        Raises:
            InputError: the object is missing, not readable or too large.
            ClientError, BotoCoreError: S3 fails, or the connection breaks.
        """
        bucket, key = S3Location.parse(uri)
        try:
            response = self._s3.get_object(Bucket=bucket, Key=key)
        except ParamValidationError as error:
            detail = f"{uri} has no valid bucket name"
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, detail) from error
        except ClientError as error:
            reason = _CLIENT_ERRORS.get(error.response.get("Error", {}).get("Code", ""))
            if reason is None:
                raise
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{uri} {reason}") from error
        # `with response["Body"]` would enter the raw stream, which does not check the content length.
        with closing(response["Body"]) as body:
            if response["ContentLength"] > max_bytes:
                detail = f"{uri} has {response['ContentLength']:,} bytes; at most {max_bytes:,} are accepted"
                raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                check()
                target.write(chunk)

    def store_image(self, job_id: str, index: int, data: bytes, output_format: OutputFormat) -> str:
        """Stores an encoded image and returns its `s3://` URI."""
        location = S3Location(self._name, output_key(job_id, index, output_format))
        self._s3.put_object(
            Bucket=location.bucket, Key=location.key, Body=data, ContentType=output_format.media_type
        )
        return location.uri

    def delete_images(self, uris: Iterable[str]) -> None:
        """Deletes stored images of a failed job; errors are logged."""
        for uri in uris:
            location = S3Location.parse(uri)
            try:
                self._s3.delete_object(Bucket=location.bucket, Key=location.key)
            except (ClientError, BotoCoreError) as error:
                _LOGGER.warning("an image of a failed job could not be deleted: %s", error)

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Stores a job's progress; errors are logged and do not fail the job."""
        try:
            self._s3.put_object(
                Bucket=self._name,
                Key=progress_key(job_id),
                Body=progress.model_dump_json().encode(),
                ContentType="application/json",
            )
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("progress could not be stored: %s", error)

    def is_canceled(self, job_id: str) -> bool:
        """Whether the job's cancellation marker exists; errors are logged and count as False."""
        try:
            self._s3.get_object(Bucket=self._name, Key=cancellation_key(job_id))["Body"].close()
        except self._s3.exceptions.NoSuchKey:
            return False
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the cancellation marker could not be read: %s", error)
            return False
        return True
