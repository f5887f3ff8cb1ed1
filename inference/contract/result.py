"""The result document: what the container answers to an invocation."""

from pydantic import BaseModel, ConfigDict, Field

from inference.contract.identifiers import JobId, S3Uri


class ImageResult(BaseModel):
    """One image of a job."""

    model_config = ConfigDict(frozen=True)

    s3_uri: S3Uri
    seed: int = Field(description="With the job's other parameters it draws this image again, alone.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    sha256: str = Field(description="Of the file, in hexadecimal.")


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
    bucket: int | None = Field(
        default=None,
        description=(
            "The most images, these included, that shared an evaluation of the denoiser. Only in a bucket "
            "of the same size are images drawn again to the last bit."
        ),
    )
    durations_s: dict[str, float] = Field(
        description=(
            "Seconds by what they went on: fetch (with an input image), denoise, encode, upload; and total, "
            "which holds the waits in between too."
        )
    )
    versions: dict[str, str] = Field(description="The libraries that drew the images.")
