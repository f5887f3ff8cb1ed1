"""Images and their parameters, in the web UI's form."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from contract.options import OutputFormat
from contract.problem import ErrorCode, ProblemError
from contract.result import ImageResult
from contract.samplers import find_sampler
from jobs.compatibility.automatic1111.png_info import PARAMETERS
from jobs.compatibility.automatic1111.png_text import PngError, texts_of
from jobs.errors import EndpointUnavailableError, FileTooLargeError
from jobs.job import Job
from jobs.ports import JobDocuments

_MAX_BASE64_CHARACTERS = 5_500_000
"""Of all images of an answer: Lambda's limit is 6 MB, with the rest of the answer."""

_MAX_BYTES = _MAX_BASE64_CHARACTERS * 3 // 4

_HASH_DIGITS = 64
_SHORT_HASH_DIGITS = 10


class ImagesTooLargeError(ProblemError):
    """The images do not fit in an answer. They are generated, and remain in the list of jobs."""

    code = ErrorCode.PAYLOAD_TOO_LARGE

    def __init__(self, job_id: str) -> None:
        super().__init__(
            "The images do not fit in an answer, which Lambda limits to 6 MB. Get them from GET "
            f"/v1/jobs/{job_id}. Request fewer or smaller images, or send override_settings with the "
            "samples_format jpg or webp."
        )


class WebUiImages(BaseModel):
    """The images of a job."""

    images: tuple[str, ...] = Field(
        description="The files in base64, without those that the NSFW filter withheld."
    )
    parameters: dict[str, Any] = Field(description="The request, without images and scripts.")
    info: str = Field(description="A JSON object with the values that were used.")

    @classmethod
    def of(cls, job: Job, parameters: dict[str, Any], *, sends_images: bool, documents: JobDocuments) -> Self:
        """Creates the view of a job that has succeeded.

        Args:
            job: the job.
            parameters: the request.
            sends_images: whether the answer contains the images.
            documents: contain the images.

        Raises:
            ImagesTooLargeError: the images do not fit in an answer.
            EndpointUnavailableError: an image could not be read.
        """
        shown = [image for image in job.images if image.s3_uri is not None]
        images: list[str] = []
        infotexts: list[str] = []
        characters = 0
        for image in shown if sends_images else ():
            data = _file(image, job, documents)
            infotexts.append(_infotext(data, job.generation.output_format))
            images.append(base64.b64encode(data).decode())
            characters += len(images[-1])
            if characters > _MAX_BASE64_CHARACTERS:
                raise ImagesTooLargeError(job.id)
        info = json.dumps(_info(job, shown, infotexts), ensure_ascii=False)
        return cls(images=tuple(images), parameters=parameters, info=info)


def _file(image: ImageResult, job: Job, documents: JobDocuments) -> bytes:
    try:
        data = documents.read_image(image.s3_uri or "", max_bytes=_MAX_BYTES)
    except FileTooLargeError:
        raise ImagesTooLargeError(job.id) from None
    if data is None:
        raise EndpointUnavailableError("An image could not be read; send the request again.")
    return data


def timestamp(moment: datetime) -> str:
    """A time as the web UI writes it."""
    return f"{moment:%Y%m%d%H%M%S}"


def _infotext(data: bytes, output_format: OutputFormat) -> str:
    """The parameters text in a file; empty if it has none, or is not a PNG file."""
    if output_format is not OutputFormat.PNG:
        return ""
    try:
        return texts_of(data).get(PARAMETERS, "")
    except PngError:
        return ""


def _info(job: Job, images: Sequence[ImageResult], infotexts: Sequence[str]) -> Mapping[str, Any]:
    generation, count = job.generation, len(images)
    revision = job.result.revision if job.result else None
    has_hash = revision is not None and len(revision) == _HASH_DIGITS
    hires = generation.hires
    size = images[0] if images else None
    return {
        "prompt": generation.prompt,
        "all_prompts": [generation.prompt] * count,
        "negative_prompt": generation.negative_prompt,
        "all_negative_prompts": [generation.negative_prompt] * count,
        "seed": images[0].seed if images else generation.seed,
        "all_seeds": [image.seed for image in images],
        "subseed": -1,
        "all_subseeds": [-1] * count,
        "subseed_strength": 0,
        "width": generation.width or (size and size.width),
        "height": generation.height or (size and size.height),
        "sampler_name": find_sampler(generation.sampler).label,
        "cfg_scale": generation.guidance_scale,
        "steps": generation.steps,
        "batch_size": count,
        "restore_faces": False,
        "face_restoration_model": None,
        "sd_model_name": generation.model,
        "sd_model_hash": revision[:_SHORT_HASH_DIGITS] if revision and has_hash else None,
        "sd_vae_name": generation.vae,
        "sd_vae_hash": None,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": hires.strength if hires else generation.strength,
        "extra_generation_params": {},
        "index_of_first_image": 0,
        "infotexts": [*infotexts],
        "styles": [],
        "job_timestamp": timestamp(job.created_at),
        "clip_skip": generation.clip_skip,
        "is_using_inpainting_conditioning": False,
        "job_id": job.id,
    }
