"""How far the container is with a job."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Phase(StrEnum):
    """What is happening to an unfinished job. The container does not say `canceling`; it stops."""

    QUEUED = "queued"
    DENOISING = "denoising"
    UPLOADING = "uploading"
    CANCELING = "canceling"


class Progress(BaseModel):
    """The container's last word on a running job; written at most once a second."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    step: int = Field(ge=0, description="Denoiser evaluations done.")
    total_steps: int = Field(
        ge=0,
        description=(
            "Denoiser evaluations in all: second-order samplers need two a step, and image to image skips "
            "those that strength leaves out. 0 until it is known."
        ),
    )
