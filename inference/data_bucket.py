"""The data bucket as the container uses it."""

import logging
from contextlib import closing
from typing import TYPE_CHECKING

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
_REFUSALS = {
    "NoSuchKey": "does not exist",
    "KeyTooLongError": "does not exist",
    "404": "does not exist",
    "NoSuchBucket": "is in a bucket that does not exist",
    "InvalidBucketName": "is in a bucket that does not exist",
    "InvalidObjectState": "is archived; restore it first",
    "AccessDenied": "may not be read by the service",
    "403": "may not be read by the service",
}


class DataBucket:
    """Reads a job's inputs and keeps its images and its progress."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self._name = name

    def fetch(self, uri: str, *, pointer: str, max_bytes: int) -> bytes:
        """The object at an `s3://` URI.

        Args:
            uri: where it is.
            pointer: the request's field that named it, for the error.
            max_bytes: a larger object is refused and not read.

        Raises:
            InputError: it is missing, out of reach or too large.
            ClientError, BotoCoreError: S3 fails, or breaks off before its end.
        """
        bucket, key = S3Location.parse(uri)
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        except ParamValidationError as error:
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{uri} names no bucket") from error
        except ClientError as error:
            reason = _REFUSALS.get(error.response.get("Error", {}).get("Code", ""))
            if reason is None:
                raise
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{uri} {reason}") from error
        with closing(answer["Body"]) as body:  # as a context manager itself it is the stream, unchecked
            if answer["ContentLength"] > max_bytes:
                detail = f"{uri} has {answer['ContentLength']:,} bytes; {max_bytes:,} are accepted"
                raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
            return body.read()

    def store_image(self, job_id: str, index: int, data: bytes, output_format: OutputFormat) -> str:
        """Keeps an image's file and gives its `s3://` URI."""
        location = S3Location(self._name, output_key(job_id, index, output_format))
        self._s3.put_object(
            Bucket=location.bucket, Key=location.key, Body=data, ContentType=output_format.media_type
        )
        return location.uri

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Keeps the job's progress. It is a courtesy: if it fails, the log says so and the job goes on."""
        try:
            self._s3.put_object(
                Bucket=self._name,
                Key=progress_key(job_id),
                Body=progress.model_dump_json().encode(),
                ContentType="application/json",
            )
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("progress was not stored: %s", error)

    def is_canceled(self, job_id: str) -> bool:
        """Whether the job's cancellation marker is there. If S3 does not say, the log does, and it is not."""
        try:
            self._s3.get_object(Bucket=self._name, Key=cancellation_key(job_id))["Body"].close()
        except self._s3.exceptions.NoSuchKey:
            return False
        except (ClientError, BotoCoreError) as error:
            _LOGGER.warning("the cancellation marker was not read: %s", error)
            return False
        return True
