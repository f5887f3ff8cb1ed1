"""Response bodies of the HTTP API: jobs, models and samplers."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from contract.generation import Generation
from contract.identifiers import S3Location
from contract.keys import output_key
from contract.model import ModelDeclaration
from contract.problem import Problem
from contract.progress import Phase, Progress
from contract.result import ImageResult, ResultDetails
from contract.samplers import SAMPLERS
from jobs.catalog import ModelCatalog
from jobs.job import Job, JobStatus

JOBS_PATH = "/v1/jobs"


class JobLinks(BaseModel):
    """Paths of further requests. Append a path to the API's URL, the stack output `ApiUrl`."""

    self: str = Field(description="Path of the job, for GET.")
    cancel: str | None = Field(description="Path for the POST that cancels the job; null once it has ended.")


class JobImage(ImageResult):
    """A finished image with a link to it."""

    url: str | None = Field(
        description=(
            "Link that works without credentials for an hour; get the job again for a new one. Null if the "
            "image is withheld."
        )
    )


class JobView(BaseModel):
    """A job."""

    id: str
    status: JobStatus
    phase: Phase | None = Field(description="Phase of an unfinished job; null once it has ended.")
    progress: Progress | None = Field(
        description="The container's progress; null before it has started the job and once the job has ended."
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
    error: Problem | None = Field(description="Why the job failed; null if it did not.")
    request: Generation = Field(description="The request with every default filled in.")
    created_at: datetime
    finished_at: datetime | None = Field(description="Null until the job has ended.")
    expires_at: datetime = Field(description="When the job's record and its images are removed.")
    links: JobLinks

    @classmethod
    def of(cls, job: Job, progress: Progress | None, *, bucket: str, presign: Callable[[str], str]) -> Self:
        """Creates the view of a job whose images are stored in `bucket`."""
        unfinished = not job.status.is_terminal
        path = f"{JOBS_PATH}/{job.id}"
        return cls(
            id=job.id,
            status=JobStatus.RUNNING if unfinished and progress else job.status,
            phase=_phase(job, progress),
            progress=progress,
            output_s3_uris=tuple(
                S3Location(bucket, output_key(job.id, index, job.generation.output_format)).uri
                for index in range(job.generation.count)
            ),
            output_location=job.invocation and job.invocation.output_location,
            seeds=job.generation.seeds,
            images=tuple(
                JobImage(**image.model_dump(), url=image.s3_uri and presign(image.s3_uri))
                for image in job.images
            ),
            result=job.result,
            error=job.error,
            request=job.generation,
            created_at=job.created_at,
            finished_at=job.finished_at,
            expires_at=job.expires_at,
            links=JobLinks(self=path, cancel=f"{path}/cancel" if unfinished else None),
        )


def _phase(job: Job, progress: Progress | None) -> Phase | None:
    if job.status.is_terminal:
        return None
    if job.cancel_requested:
        return Phase.CANCELING
    return progress.phase if progress else Phase.QUEUED


class ModelView(ModelDeclaration):
    """A deployed model with its defaults and limits."""

    is_default: bool = Field(description="True for the model of requests without `model`.")


class ModelList(BaseModel):
    """Every deployed model."""

    data: tuple[ModelView, ...]

    @classmethod
    def of(cls, catalog: ModelCatalog) -> Self:
        """Creates the view of the catalog."""
        return cls(
            data=tuple(ModelView(**dict(model), is_default=model == catalog.default) for model in catalog)
        )


class SamplerView(BaseModel):
    """A sampler."""

    name: str
    label: str = Field(description="Display name.")
    aliases: tuple[str, ...] = Field(description="Other accepted names.")


class SamplerList(BaseModel):
    """Every sampler."""

    data: tuple[SamplerView, ...]

    @classmethod
    def all(cls) -> Self:
        """Creates the view of the contract's samplers."""
        return cls(data=tuple(SamplerView(name=s.name, label=s.label, aliases=s.aliases) for s in SAMPLERS))
