"""Predictions: jobs in Replicate's form."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from contract.generation import Generation
from jobs.compatibility.replicate.input import PredictionInput
from jobs.compatibility.replicate.models import OWNER, version_of
from jobs.job import Job, JobSnapshot
from jobs.lifecycle import JobStatus
from jobs.ports import Link

_BAR_CHARACTERS = 20
_THEIR_NAMES = {
    "count": "num_outputs",
    "steps": "num_inference_steps",
    "input_image": "image",
    "mask_image": "mask",
    "strength": "prompt_strength",
    "quality": "output_quality",
    "sampler": "scheduler",
}
_NOT_INPUT = {"id", "model"}


class PredictionStatus(StrEnum):
    """The status of a prediction."""

    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


_STATUSES = {
    JobStatus.QUEUED: PredictionStatus.STARTING,
    JobStatus.RUNNING: PredictionStatus.PROCESSING,
    JobStatus.SUCCEEDED: PredictionStatus.SUCCEEDED,
    JobStatus.FAILED: PredictionStatus.FAILED,
    JobStatus.CANCELED: PredictionStatus.CANCELED,
    JobStatus.EXPIRED: PredictionStatus.FAILED,
}


class PredictionUrls(BaseModel):
    """The addresses of a prediction."""

    get: str
    cancel: str


class PredictionMetrics(BaseModel):
    """Times of a prediction that has ended, in seconds."""

    predict_time: float | None = Field(description="Since the container started it; null if it did not.")
    total_time: float


class Prediction(BaseModel):
    """A prediction: a job, in Replicate's form."""

    id: str
    model: str
    version: str
    status: PredictionStatus = Field(
        description=(
            "`starting` until the container has started it; in the answer to a request with `Prefer: wait`, "
            "until it has ended."
        )
    )
    input: dict[str, Any] = Field(description="The input with every default filled in.")
    output: tuple[str, ...] | None = Field(
        description="Links to the images, which work for an hour; null until it has succeeded."
    )
    logs: str = Field(description="The seed, and the steps of a running prediction.")
    error: str | None
    metrics: PredictionMetrics | None = Field(description="Null until it has ended.")
    source: str = "api"
    data_removed: bool = False
    webhook: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    urls: PredictionUrls

    @classmethod
    def of(
        cls,
        snapshot: JobSnapshot,
        *,
        address: str,
        link: Callable[[str], Link],
        has_waited: bool = False,
    ) -> Self:
        """Creates the view of a job.

        Args:
            snapshot: the job.
            address: the URL of this API.
            link: makes the link to an image.
            has_waited: for clients that have waited for the end: they take every status for a final one,
                except `starting`.
        """
        job = snapshot.job
        status = _STATUSES[job.status]
        if has_waited and not job.status.is_terminal:
            status = PredictionStatus.STARTING
        url = f"{address}/predictions/{job.id}"
        succeeded = job.status is JobStatus.SUCCEEDED
        return cls(
            id=job.id,
            model=f"{OWNER}/{job.generation.model}",
            version=version_of(job.generation.model),
            status=status,
            input=_input(job.generation),
            output=tuple(link(each.s3_uri).url for each in job.images if each.s3_uri) if succeeded else None,
            logs=_logs(snapshot),
            error=_error(job),
            metrics=_metrics(job),
            webhook=job.webhook and job.webhook.url,
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.finished_at,
            urls=PredictionUrls(get=url, cancel=f"{url}/cancel"),
        )


class PredictionPage(BaseModel):
    """A part of the list of predictions, newest first."""

    previous: None = Field(default=None, description="Null: the list is read forwards only.")
    next: str | None = Field(description="URL of the next part; null at the end of the list.")
    results: tuple[Prediction, ...] = Field(description="May be empty, although there are more.")


def _input(generation: Generation) -> dict[str, Any]:
    """The input that generates the same images, in Replicate's names; fields without effect are left out."""
    values = generation.model_dump(mode="json", exclude=_NOT_INPUT)
    defaults = {name: field.default for name, field in PredictionInput.model_fields.items()}
    values = {
        name: value
        for name, value in values.items()
        if value is not None and value != defaults.get(name) and value != []
    }
    return {_THEIR_NAMES.get(name, name): value for name, value in values.items()}


def _logs(snapshot: JobSnapshot) -> str:
    """Lines of text, the last of which is a progress bar in the form of tqdm, which the clients parse."""
    job, progress = snapshot.job, snapshot.progress
    lines = [f"Seed: {job.generation.seed}"]
    if progress is not None and progress.total_steps:
        step, total = min(progress.step, progress.total_steps), progress.total_steps
        bar = "#" * (_BAR_CHARACTERS * step // total)
        lines.append(f"{100 * step // total:3d}%|{bar:<{_BAR_CHARACTERS}}| {step}/{total}")
    withheld = sum(image.s3_uri is None for image in job.images)
    if withheld:
        lines.append(f"Images that the NSFW filter withheld: {withheld}")
    return "\n".join(lines)


def _error(job: Job) -> str | None:
    return f"{job.error.title}: {job.error.detail}" if job.error else None


def _metrics(job: Job) -> PredictionMetrics | None:
    if job.finished_at is None:
        return None
    ran_s = (job.finished_at - job.started_at).total_seconds() if job.started_at else None
    return PredictionMetrics(
        predict_time=ran_s, total_time=(job.finished_at - job.created_at).total_seconds()
    )
