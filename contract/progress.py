"""Progress of a running job."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Phase(StrEnum):
    """The phase of an unfinished job.

    The API derives `waking_capacity`, `queued` and `canceling`; the container reports the others.
    """

    WAKING_CAPACITY = "waking_capacity"
    QUEUED = "queued"
    LOADING_MODEL = "loading_model"
    DENOISING = "denoising"
    UPLOADING = "uploading"
    CANCELING = "canceling"


class Progress(BaseModel):
    """A job's progress document, updated by the container at most once a second."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    step: int = Field(ge=0, description="Completed UNet evaluations.")
    total_steps: int = Field(
        ge=0,
        description=(
            "UNet evaluations in total: second-order samplers take two for each step, and image-to-image "
            "skips those that `strength` leaves out. 0 while unknown."
        ),
    )
    preview_step: int | None = Field(
        default=None,
        ge=0,
        description="Completed UNet evaluations at the stored preview; null before there is one.",
    )
