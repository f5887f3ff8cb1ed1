"""The result document of an invocation."""

from pydantic import BaseModel, ConfigDict, Field

from contract.identifiers import JobId, S3Uri
from contract.safety import SafetyMode, SafetyReport


class ImageResult(BaseModel):
    """A generated image of a job."""

    model_config = ConfigDict(frozen=True)

    s3_uri: S3Uri | None = Field(description="URI of the image; null if the safety mode `block` withheld it.")
    seed: int = Field(
        description="Seed of this image. The job's request with this seed and count 1 reproduces it."
    )
    width: int = Field(description="Width in pixels.")
    height: int = Field(description="Height in pixels.")
    sha256: str | None = Field(description="SHA-256 of the file in hexadecimal; null without a file.")
    flags: tuple[str, ...] = Field(
        default=(), description="`nsfw` if the detector considers the image not safe for work."
    )


class ResultDetails(BaseModel):
    """Details of a finished generation, beyond the parameters of its request."""

    model_config = ConfigDict(frozen=True)

    batch_size: int | None = Field(
        default=None,
        description=(
            "Size of the largest batch that the images were denoised in, in images like these; other jobs' "
            "images and padding are included. "
            "Images are reproduced bit for bit only at the same batch size."
        ),
    )
    revision: str | None = Field(
        default=None,
        description="The model's revision: a Hugging Face commit, or the SHA-256 of the converted file.",
    )
    fallbacks: tuple[str, ...] = Field(
        default=(),
        description=(
            "Differences from the request: measures to fit in GPU memory or to avoid invalid images, and "
            "previews that were left out."
        ),
    )
    safety: SafetyReport = SafetyReport(mode=SafetyMode.OFF, detector=None)
    durations_s: dict[str, float] = Field(
        description=(
            "Seconds by stage: `fetch` (with input images), `denoise`, `encode`, `upload`; and `total`, "
            "which includes waiting times."
        )
    )
    versions: dict[str, str] = Field(
        description="Versions of the libraries that generated the images, and the selected GPU kernels."
    )


class GenerationResult(ResultDetails):
    """The images of a finished job, and the parameters they were generated with."""

    id: JobId
    model: str
    images: tuple[ImageResult, ...]
    sampler: str
    steps: int
    guidance_scale: float
    strength: float | None = None
