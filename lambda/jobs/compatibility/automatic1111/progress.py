"""The progress of a caller's jobs, in the web UI's form."""

import base64
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from jobs.compatibility.automatic1111.answer import timestamp
from jobs.job import Job, JobSnapshot

MAX_PREVIEW_BYTES = 256 * 1024
_STARTED = 0.01
"""The web UI's least progress of a job; 0 means that there is none."""


class ProgressQuery(BaseModel):
    """The query parameters of the progress."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skip_current_image: Annotated[bool, Field(description="Whether the preview is left out.")] = False


class ProgressState(BaseModel):
    """The state of the job that the progress belongs to."""

    skipped: bool = False
    interrupted: bool = Field(default=False, description="Whether the job was canceled.")
    stopping_generation: bool = False
    job: str = Field(default="", description="The job's id; empty without a job.")
    job_count: int = Field(default=0, description="Unfinished jobs.")
    job_timestamp: str = "0"
    job_no: int = 0
    sampling_step: int = Field(default=0, description="Completed UNet evaluations.")
    sampling_steps: int = Field(default=0, description="UNet evaluations in total; 0 while unknown.")


class WebUiProgress(BaseModel):
    """The progress of the caller's oldest unfinished job of this API."""

    progress: float = Field(description="0 to 1; 0 without a job.")
    eta_relative: float = Field(description="Estimated seconds until the job ends; 0 if unknown.")
    state: ProgressState
    current_image: str | None = Field(
        default=None, description="A JPEG file in base64, with the setting `live_previews_enable`."
    )
    textinfo: str | None = None

    @classmethod
    def of(cls, snapshot: JobSnapshot | None, jobs: Sequence[Job], preview: bytes | None) -> Self:
        """Creates the view.

        Args:
            snapshot: the job; None if there is none.
            jobs: all unfinished jobs.
            preview: the job's preview.
        """
        if snapshot is None:
            return cls(progress=0, eta_relative=0, state=ProgressState())
        job, progress, estimate = snapshot.job, snapshot.progress, snapshot.estimate
        share = progress.step / progress.total_steps if progress and progress.total_steps else 0
        return cls(
            progress=min(_STARTED + share, 1),
            eta_relative=(estimate and estimate.eta_seconds) or 0,
            state=ProgressState(
                interrupted=job.cancel_requested,
                stopping_generation=job.cancel_requested,
                job=job.id,
                job_count=len(jobs),
                job_timestamp=timestamp(job.created_at),
                sampling_step=progress.step if progress else 0,
                sampling_steps=progress.total_steps if progress else 0,
            ),
            current_image=base64.b64encode(preview).decode() if preview else None,
        )
