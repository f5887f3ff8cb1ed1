"""A job as the API shows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from contract.api_paths import JOBS_PATH
from contract.generation import Generation
from contract.output_location import output_locations
from contract.problem import Problem
from contract.progress import Phase, Progress
from contract.result import ImageResult, ResultDetails
from contract.submission import WebhookEvent
from jobs.job import Estimate, Job, JobSnapshot
from jobs.lifecycle import JobStatus
from jobs.ports import Link

Presign = Callable[[str], Link]


class JobLinks(BaseModel):
    """Paths of further requests. Append a path to the API's URL, the stack output `ApiUrl`."""

    self: str = Field(description="Path of the job, for GET and PATCH.")
    cancel: str | None = Field(description="Path for the POST that cancels the job; null once it has ended.")
    delete: str | None = Field(
        description="Path for the DELETE that removes the job and its files; null until it has ended."
    )


class JobImage(ImageResult):
    """A finished image with a link to it."""

    url: str | None = Field(
        description=(
            "Link that works without credentials until `url_expires_at`; get the job again for a new one. "
            "Null if the image is withheld."
        )
    )
    url_expires_at: datetime | None = Field(description="End of the link, within an hour.")


class JobPreview(BaseModel):
    """The preview of the first image of a running job."""

    url: str | None = Field(description="Link to a small JPEG file that works without credentials.")
    expires_at: datetime | None = Field(description="End of the link, within an hour.")
    step: int | None = Field(description="Completed UNet evaluations when it was made.")


class JobView(BaseModel):
    """A job."""

    id: str
    status: JobStatus
    phase: Phase | None = Field(description="Phase of an unfinished job; null once it has ended.")
    progress: Progress | None = Field(
        description="The container's progress; null before it has started the job and once the job has ended."
    )
    attempt: int = Field(
        description="Number of the current invocation, from 1; it grows if a container went away."
    )
    position: int | None = Field(
        description="Place in the queue, from 1; null if unknown, and once the job has started."
    )
    eta_seconds: int | None = Field(
        description="Estimated seconds until the job ends; null if unknown, and once it has ended."
    )
    eta_basis: str | None = Field(description="The measurements that `eta_seconds` is estimated from.")
    preview: JobPreview | None = Field(
        description="The preview of a running job that requested one; null if there is none."
    )
    output_s3_uris: tuple[str, ...] = Field(
        description="One per image, known at submission; the objects exist once the job has succeeded."
    )
    output_location: str | None = Field(description="Where SageMaker stores the result document.")
    seeds: tuple[int, ...] = Field(description="One per image.")
    images: tuple[JobImage, ...] = Field(description="Empty until the job has succeeded.")
    result: ResultDetails | None = Field(
        description="How the images were generated; null until the job has succeeded."
    )
    error: Problem | None = Field(description="Why the job failed or expired; null if it did not.")
    request: Generation = Field(description="The request with every default filled in.")
    tags: tuple[str, ...]
    webhook_url: str | None
    webhook_events: tuple[WebhookEvent, ...] = Field(description="Empty without a webhook.")
    created_at: datetime
    started_at: datetime | None = Field(description="When the current attempt started; null before.")
    finished_at: datetime | None = Field(description="Null until the job has ended.")
    expires_at: datetime = Field(description="When the job's record and its images are removed.")
    links: JobLinks

    @classmethod
    def of(cls, snapshot: JobSnapshot, *, bucket: str, presign: Presign | None) -> Self:
        """Creates the view of a job.

        Args:
            snapshot: the job.
            bucket: the stage's data bucket.
            presign: makes the links to the images and to the preview; None: they are null.
        """
        job, estimate = snapshot.job, snapshot.estimate or Estimate()
        path = f"{JOBS_PATH}/{job.id}"
        ended = job.status.is_terminal
        return cls(
            id=job.id,
            status=job.status,
            phase=_phase(snapshot),
            progress=snapshot.progress,
            attempt=job.attempt,
            position=estimate.position,
            eta_seconds=_whole_seconds(estimate.eta_seconds),
            eta_basis=estimate.basis,
            preview=_preview(snapshot, presign),
            output_s3_uris=tuple(each.uri for each in output_locations(job.generation, bucket)),
            output_location=job.invocation and job.invocation.output_location,
            seeds=job.generation.seeds,
            images=_images(job, presign),
            result=job.result,
            error=job.error,
            request=job.generation,
            tags=job.tags,
            webhook_url=job.webhook and job.webhook.url,
            webhook_events=job.webhook.events if job.webhook else (),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            expires_at=job.expires_at,
            links=JobLinks(
                self=path, cancel=None if ended else f"{path}/cancel", delete=path if ended else None
            ),
        )

    def link_ends(self) -> tuple[datetime, ...]:
        """The ends of all links in the view."""
        preview_end = self.preview.expires_at if self.preview is not None else None
        ends = (*(image.url_expires_at for image in self.images), preview_end)
        return tuple(end for end in ends if end is not None)

    def without_links(self) -> "JobView":
        """The view with the links to the images and to the preview set to null."""
        return self.model_copy(
            update={
                "images": tuple(
                    image.model_copy(update={"url": None, "url_expires_at": None}) for image in self.images
                ),
                "preview": self.preview and self.preview.model_copy(update={"url": None, "expires_at": None}),
            }
        )


def _phase(snapshot: JobSnapshot) -> Phase | None:
    job = snapshot.job
    if job.status.is_terminal:
        return None
    if job.cancel_requested:
        return Phase.CANCELING
    if snapshot.progress:
        return snapshot.progress.phase
    if job.status is JobStatus.RUNNING:
        return Phase.DENOISING
    return Phase.WAKING_CAPACITY if snapshot.estimate and snapshot.estimate.waking_capacity else Phase.QUEUED


def _whole_seconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(round(seconds), 0)


def _link(uri: str | None, presign: Presign | None) -> tuple[str, datetime] | tuple[None, None]:
    if uri is None or presign is None:
        return None, None
    link = presign(uri)
    return link.url, link.expires_at


def _preview(snapshot: JobSnapshot, presign: Presign | None) -> JobPreview | None:
    if snapshot.preview_uri is None:
        return None
    url, expires_at = _link(snapshot.preview_uri, presign)
    step = snapshot.progress.preview_step if snapshot.progress else None
    return JobPreview(url=url, expires_at=expires_at, step=step)


def _images(job: Job, presign: Presign | None) -> tuple[JobImage, ...]:
    images = []
    for image in job.images:
        url, expires_at = _link(image.s3_uri, presign)
        images.append(JobImage(**dict(image), url=url, url_expires_at=expires_at))
    return tuple(images)
