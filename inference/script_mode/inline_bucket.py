"""Images that travel inside the answer, for an endpoint without a data bucket."""

import base64
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
"""In the place of the data bucket's name; S3 allows none that short."""


class InlineImage(ImageResult):
    """One image of a job, with its file."""

    data: str | None = Field(description="The image's file in base64; null where it is withheld.")


class InlineResult(GenerationResult):
    """A finished job, with its images' files: `s3_uri` is null, they are nowhere else."""

    images: tuple[InlineImage, ...]


class NoBucket(DataBucket):
    """Stands in for the data bucket: keeps images until the answer takes them, and nothing else."""

    def __init__(self, s3: "S3Client") -> None:
        """Takes a client that reads inputs from other buckets."""
        super().__init__(s3, NO_BUCKET)
        self._files: dict[str, bytes] = {}

    def store_image(self, job_id: str, index: int, data: bytes, output_format: OutputFormat) -> str:
        """Keeps an image's file under a URI that only `take` knows."""
        uri = S3Location(NO_BUCKET, output_key(job_id, index, output_format)).uri
        self._files[uri] = data
        return uri

    def store_progress(self, job_id: str, progress: Progress) -> None:
        """Nobody could read it."""

    def is_canceled(self, job_id: str) -> bool:  # noqa: ARG002 - nothing is known of any job
        """Nobody could say so."""
        return False

    def take(self, result: GenerationResult) -> InlineResult:
        """The result with its images' files, which are not kept any longer."""
        images = tuple(
            InlineImage(**image.model_dump() | {"s3_uri": None}, data=self._take(image.s3_uri))
            for image in result.images
        )
        self._files.clear()  # of jobs that have failed halfway
        return InlineResult(**dict(result) | {"images": images})

    def _take(self, uri: str | None) -> str | None:
        return None if uri is None else base64.b64encode(self._files.pop(uri)).decode()
