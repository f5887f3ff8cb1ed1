"""Images in OpenAI's form."""

import base64
from collections.abc import Callable
from typing import Self

from pydantic import BaseModel, Field

from contract.generation import InvalidRequestError
from contract.options import OutputFormat
from contract.problem import FieldError
from contract.result import ImageResult
from jobs.compatibility.openai.request import ResponseFormat
from jobs.job import Job
from jobs.ports import Link

MAX_BASE64_CHARACTERS = 5_500_000
"""Of all images of a response: Lambda's limit is 6 MB, with the rest of the response."""


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
        *,
        link: Callable[[str], Link],
        read: Callable[[str], bytes],
    ) -> Self:
        """Creates the view of a job that has succeeded.

        Args:
            job: the job, with at least one image that was not withheld.
            response_format: the form of the images.
            link: makes the link to an image.
            read: the content of an image.

        Raises:
            TooLargeForResponseError: the images have more than `MAX_BASE64_CHARACTERS` in base64.
        """
        images, characters = [], 0
        for image in job.images:
            if image.s3_uri is None:
                continue
            if response_format is ResponseFormat.URL:
                images.append(OpenAIImage(url=link(image.s3_uri).url, seed=image.seed))
                continue
            content = base64.b64encode(read(image.s3_uri)).decode()
            characters += len(content)
            if characters > MAX_BASE64_CHARACTERS:
                raise TooLargeForResponseError
            images.append(OpenAIImage(b64_json=content, seed=image.seed))
        return cls(
            id=job.id,
            created=int(job.created_at.timestamp()),
            output_format=job.generation.output_format,
            size=_size(job.images[0]),
            data=tuple(images),
        )


def _size(image: ImageResult) -> str:
    return f"{image.width}x{image.height}"
