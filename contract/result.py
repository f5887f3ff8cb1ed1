"""The result document: what the container answers to an invocation."""

from pydantic import BaseModel, ConfigDict, Field

from contract.identifiers import JobId, S3Uri
from contract.safety import SafetyMode, SafetyReport


class ImageResult(BaseModel):
    """One image of a job."""

    model_config = ConfigDict(frozen=True)

    s3_uri: S3Uri | None = Field(description="Null where the safety mode `block` has withheld it.")
    seed: int = Field(description="With the job's other parameters it draws this image again, alone.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    sha256: str | None = Field(description="Of the file, in hexadecimal; null where there is none.")
    flags: tuple[str, ...] = Field(
        default=(), description="`nsfw` where a detector has taken it for not safe for work."
    )


class GenerationResult(BaseModel):
    """A finished job: its images and what they were drawn with."""

    model_config = ConfigDict(frozen=True)

    id: JobId
    model: str
    images: tuple[ImageResult, ...]
    sampler: str
    steps: int
    guidance_scale: float
    strength: float | None = None
    batch_size: int | None = Field(
        default=None,
        description=(
            "The most images, these included, that shared an evaluation of the denoiser. Only in a bucket "
            "of the same size are images drawn again to the last bit."
        ),
    )
    revision: str | None = Field(
        default=None,
        description="The weights: a commit of the hub, or the SHA-256 of the file they were made from.",
    )
    fallbacks: tuple[str, ...] = Field(
        default=(),
        description="What was done to make the images fit the memory, or to draw them at all, in words.",
    )
    safety: SafetyReport = SafetyReport(mode=SafetyMode.OFF, detector=None)
    durations_s: dict[str, float] = Field(
        description=(
            "Seconds by what they went on: fetch (with an input image), denoise, encode, upload; and total, "
            "which holds the waits in between too."
        )
    )
    versions: dict[str, str] = Field(description="The libraries that drew the images.")
