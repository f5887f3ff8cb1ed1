"""Images in OpenAI's form."""

import base64
from typing import Self

from pydantic import BaseModel, Field

from contract.generation import InvalidRequestError
from contract.options import OutputFormat
from contract.problem import FieldError
from contract.result import ImageResult
from jobs.compatibility.openai.request import ResponseFormat
from jobs.errors import FileTooLargeError, JobNotFoundError
from jobs.job import Job
from jobs.ports import JobDocuments

MAX_BYTES = 4_000_000
"""Of all images of a response: Lambda's limit is 6 MB, in which they are in base64."""


class TooLargeForResponseError(InvalidRequestError):
    """The images do not fit in a response. The same job may be fetched in another form."""

    def __init__(self) -> None:
        detail = (
            "the images do not fit in a response, which has at most 4 MB of images; send the same request "
            "with response_format url, or request fewer images (n), or the output_format jpeg or webp"
        )
        super().__init__((FieldError(pointer="#/response_format", detail=detail),))


class OpenAIImage(BaseModel):
    """An image, in OpenAI's form."""

    b64_json: str | None = Field(default=None, description="The file in base64; null for `url`.")
    url: str | None = Field(default=None, description="Link, which works for an hour; null for `b64_json`.")
    revised_prompt: str | None = Field(default=None, description="Always null: prompts are not changed.")
    seed: int = Field(description="Seed of this image, for the field `seed` of a request.")


class OpenAIImages(BaseModel):
    """The images of a job, in OpenAI's form."""

    id: str = Field(description="The job's id.")
    created: int = Field(description="When the job was submitted, in seconds since 1970.")
    background: str = "opaque"
    output_format: OutputFormat
    size: str = Field(description="`WIDTHxHEIGHT` of the images.")
    data: tuple[OpenAIImage, ...] = Field(description="Without images that the NSFW filter withheld.")

    @classmethod
    def of(
        cls,
        job: Job,
        response_format: ResponseFormat,
        documents: JobDocuments,
    ) -> Self:
        """Creates the view of a job that has succeeded.

        Args:
            job: the job, with at least one image that was not withheld.
            response_format: the form of the images.
            documents: the files of the images.

        Raises:
            TooLargeForResponseError: the files have more than `MAX_BYTES`.
            JobNotFoundError: a file was deleted.
        """
        images, left = [], MAX_BYTES
        for image in job.images:
            if image.s3_uri is None:
                continue
            if response_format is ResponseFormat.URL:
                images.append(OpenAIImage(url=documents.presign(image.s3_uri).url, seed=image.seed))
                continue
            content = _read(job, image.s3_uri, documents, max_bytes=left)
            left -= len(content)
            images.append(OpenAIImage(b64_json=base64.b64encode(content).decode(), seed=image.seed))
        return cls(
            id=job.id,
            created=int(job.created_at.timestamp()),
            output_format=job.generation.output_format,
            size=_size(job.images[0]),
            data=tuple(images),
        )


def _read(job: Job, uri: str, documents: JobDocuments, *, max_bytes: int) -> bytes:
    try:
        content = documents.read_image(uri, max_bytes=max_bytes)
    except FileTooLargeError:
        raise TooLargeForResponseError from None
    if content is None:
        raise JobNotFoundError(job.id)
    return content


def _size(image: ImageResult) -> str:
    return f"{image.width}x{image.height}"
