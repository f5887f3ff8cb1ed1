"""Access to the data bucket: input images, output images, progress and cancellation markers."""

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from contract.generation import InvalidRequestError
from contract.identifiers import InvocationId, S3Location
from contract.keys import cancellation_key, preview_key, progress_key, start_key
from contract.problem import ErrorCode, FieldError
from contract.progress import Progress
from contract.s3_hosts import S3_HOSTS
from inference.engine.errors import InputError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOGGER = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 20
_CONNECTIONS = 32
"""Kept open: as many as the pools for images, reports and cancellations have threads, and a few for inputs.
Further requests open connections of their own, whose handshakes take the CPU from the engine."""

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

_PUT_ERRORS = {
    "NoSuchBucket": "its bucket does not exist",
    "InvalidBucketName": "its bucket does not exist",
    "AccessDenied": "the service has no permission to write there",
    "403": "the service has no permission to write there",
}


def create_s3_client() -> "S3Client":
    """The client of S3. Its requests go to the region's own hosts, which VPC endpoints serve."""
    return boto3.client("s3", config=Config(s3=S3_HOSTS, max_pool_connections=_CONNECTIONS))


class DataBucket:
    """Reads input images, and stores the output images and the progress of jobs.

    Attributes:
        name: of the bucket.
    """

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name

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

    def store_image(self, location: S3Location, data: bytes, media_type: str) -> None:
        """Stores an encoded image, here or in another bucket.

        Raises:
            InvalidRequestError: another bucket, which the request has named, does not accept it.
            ClientError, BotoCoreError: S3 fails, or the connection breaks.
        """
        try:
            self._s3.put_object(Bucket=location.bucket, Key=location.key, Body=data, ContentType=media_type)
        except ClientError as error:
            reason = _PUT_ERRORS.get(error.response.get("Error", {}).get("Code", ""))
            if reason is None or location.bucket == self.name:
                raise
            detail = f"images cannot be stored under {location.uri}: {reason}; choose another prefix"
            raise InvalidRequestError((FieldError(pointer="#/output_s3_uri", detail=detail),)) from error

    def delete_images(self, uris: Iterable[str]) -> None:
        """Deletes stored images of a failed job; errors are logged."""
        for uri in uris:
            location = S3Location.parse(uri)
            try:
                self._s3.delete_object(Bucket=location.bucket, Key=location.key)
            except (ClientError, BotoCoreError) as error:
                _LOGGER.warning("an image of a failed job could not be deleted: %s", error)

    def store_start(self, invocation: InvocationId) -> None:
        """Stores the marker that an invocation has started; errors are logged and do not fail the job."""
        self._try_to_store("the start of a job", start_key(invocation), b"", "application/octet-stream")

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Stores a job's progress; errors are logged and do not fail the job."""
        data = progress.model_dump_json().encode()
        self._try_to_store("progress", progress_key(job_id), data, "application/json")

    def store_preview(self, job_id: str, data: bytes) -> bool:
        """Stores a preview, a JPEG file, and returns whether that succeeded; errors are logged."""
        return self._try_to_store("a preview", preview_key(job_id), data, "image/jpeg")

    def is_canceled(self, job_id: str) -> bool:
        """Whether the job's cancellation marker exists; errors are logged and count as False."""
        try:
            self._s3.get_object(Bucket=self.name, Key=cancellation_key(job_id))["Body"].close()
        except self._s3.exceptions.NoSuchKey:
            return False
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the cancellation marker could not be read: %s", error)
            return False
        return True

    def _try_to_store(self, kind: str, key: str, data: bytes, media_type: str) -> bool:
        try:
            self._s3.put_object(Bucket=self.name, Key=key, Body=data, ContentType=media_type)
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("%s could not be stored: %s", kind, error)
            return False
        return True
