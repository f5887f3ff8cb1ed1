"""Inline images: the response contains the image files if the endpoint has no data bucket."""

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from contract.identifiers import InvocationId, S3Location
from contract.progress import Progress
from contract.result import GenerationResult, ImageResult
from inference.data_bucket import DataBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NO_BUCKET = "-"
"""DATA_BUCKET_NAME of an endpoint without a data bucket; too short to be the name of a real one."""


class InlineImage(ImageResult):
    """One image of a job, with its file."""

    data: str | None = Field(
        description="The image file in base64; null if the image is withheld, or stored at `s3_uri`."
    )


class InlineResult(GenerationResult):
    """The result of a job, with the image files that are not stored in a bucket."""

    images: tuple[InlineImage, ...]


class InlineBucket(DataBucket):
    """Replaces the data bucket: holds image files in memory until `attach_images` takes them.

    Other buckets can still be read and, under the output prefixes, written. Progress is not stored, and jobs
    cannot be canceled.
    """

    def __init__(self, s3: "S3Client") -> None:
        super().__init__(s3, NO_BUCKET)
        self._files: dict[str, bytes] = {}

    def store_image(self, location: S3Location, data: bytes, media_type: str) -> None:
        """Holds an image file that would be in the data bucket."""
        if location.bucket == NO_BUCKET:
            self._files[location.uri] = data
        else:
            super().store_image(location, data, media_type)

    def delete_images(self, uris: Iterable[str]) -> None:
        """Drops or deletes image files of a failed job."""
        super().delete_images([uri for uri in uris if self._files.pop(uri, None) is None])

    def store_start(self, invocation: InvocationId) -> None:
        """Does nothing."""

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Does nothing."""

    def store_preview(self, job_id: str, data: bytes) -> bool:  # noqa: ARG002 - no place for it
        """Stores nothing."""
        return False

    def is_canceled(self, job_id: str) -> bool:  # noqa: ARG002 - no markers without a bucket
        """Always False."""
        return False

    def attach_images(self, result: GenerationResult) -> InlineResult:
        """The result with its image files, which are not held any longer."""
        images = tuple(map(self._attach, result.images))
        self._files.clear()  # removes the files of failed jobs: AWS's containers run one job at a time
        return InlineResult(**dict(result) | {"images": images})

    def _attach(self, image: ImageResult) -> InlineImage:
        if image.s3_uri is None or S3Location.parse(image.s3_uri).bucket != NO_BUCKET:
            return InlineImage(**dict(image), data=None)
        data = base64.b64encode(self._files.pop(image.s3_uri)).decode()
        return InlineImage(**dict(image) | {"s3_uri": None}, data=data)
