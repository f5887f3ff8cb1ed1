"""Inline images: the response contains the image files if the endpoint has no data bucket."""

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from contract.identifiers import S3Location
from contract.keys import output_key
from contract.options import OutputFormat
from contract.progress import Progress
from contract.result import GenerationResult, ImageResult
from inference.data_bucket import DataBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NO_BUCKET = "-"
"""DATA_BUCKET_NAME of an endpoint without a data bucket; too short to be the name of a real one."""


class InlineImage(ImageResult):
    """One image of a job, with its file."""

    data: str | None = Field(description="The image file in base64; null if the image is withheld.")


class InlineResult(GenerationResult):
    """The result of a job, with the image files; every `s3_uri` is null."""

    images: tuple[InlineImage, ...]


class InlineBucket(DataBucket):
    """Replaces the data bucket: holds image files in memory until `attach_images` takes them.

    Inputs can still be read from other buckets. Progress is not stored, and jobs cannot be canceled.
    """

    def __init__(self, s3: "S3Client") -> None:
        super().__init__(s3, NO_BUCKET)
        self._files: dict[str, bytes] = {}

    def store_image(self, job_id: str, index: int, data: bytes, output_format: OutputFormat) -> str:
        """Holds an image file and returns a URI that only `attach_images` resolves."""
        uri = S3Location(NO_BUCKET, output_key(job_id, index, output_format)).uri
        self._files[uri] = data
        return uri

    def delete_images(self, uris: Iterable[str]) -> None:
        """Drops image files of a failed job."""
        for uri in uris:
            self._files.pop(uri, None)

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Does nothing."""

    def is_canceled(self, job_id: str) -> bool:  # noqa: ARG002 - no markers without a bucket
        """Always False."""
        return False

    def attach_images(self, result: GenerationResult) -> InlineResult:
        """The result with its image files, which are not held any longer."""
        images = tuple(
            InlineImage(**image.model_dump() | {"s3_uri": None}, data=self._take(image.s3_uri))
            for image in result.images
        )
        self._files.clear()  # removes the files of failed jobs: AWS's containers run one job at a time
        return InlineResult(**dict(result) | {"images": images})

    def _take(self, uri: str | None) -> str | None:
        return None if uri is None else base64.b64encode(self._files.pop(uri)).decode()
