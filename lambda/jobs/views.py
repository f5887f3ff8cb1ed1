"""How the HTTP API shows jobs, models and samplers."""

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
from contract.result import ImageResult
from contract.samplers import SAMPLERS
from jobs.catalog import ModelCatalog
from jobs.job import Job, JobStatus

JOBS_PATH = "/v1/jobs"


class JobLinks(BaseModel):
    """Where to go on from here: paths to put behind the API's address."""

    self: str = Field(description="The job.")
    cancel: str | None = Field(description="What to POST to so that it stops; null once it has ended.")


class JobImage(ImageResult):
    """A finished image and a link to it."""

    url: str | None = Field(
        description=(
            "Opens the image without credentials for an hour; ask for the job again for a fresh one. Null "
            "where the image is withheld."
        )
    )


class JobView(BaseModel):
    """A job as the API shows it."""

    id: str
    status: JobStatus
    phase: Phase | None = Field(description="What is happening to an unfinished job.")
    progress: Progress | None = Field(description="How far the container is; null before it has begun.")
    output_s3_uris: tuple[str, ...] = Field(
        description="One per image, known from the start; the objects are there once the job has succeeded."
    )
    output_location: str | None = Field(description="Where SageMaker puts the result document.")
    seeds: tuple[int, ...] = Field(description="One per image.")
    images: tuple[JobImage, ...] = Field(description="Empty until the job has succeeded.")
    error: Problem | None = Field(description="Why the job failed.")
    request: Generation = Field(description="The request with every default filled in.")
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime = Field(description="When the record and the images are removed.")
    links: JobLinks

    @classmethod
    def of(cls, job: Job, progress: Progress | None, *, bucket: str, presign: Callable[[str], str]) -> Self:
        """The view of a job whose images lie in `bucket`."""
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
    """A model that jobs can name."""

    is_default: bool = Field(description="True for the model of jobs that name none.")


class ModelList(BaseModel):
    """Every model."""

    data: tuple[ModelView, ...]

    @classmethod
    def of(cls, catalog: ModelCatalog) -> Self:
        """The view of the catalog."""
        return cls(
            data=tuple(ModelView(**dict(model), is_default=model == catalog.default) for model in catalog)
        )


class SamplerView(BaseModel):
    """A sampler that jobs can name."""

    name: str
    label: str = Field(description="The name as interfaces show it.")
    aliases: tuple[str, ...] = Field(description="Other accepted spellings.")


class SamplerList(BaseModel):
    """Every sampler."""

    data: tuple[SamplerView, ...]

    @classmethod
    def all(cls) -> Self:
        """The view of the contract's samplers."""
        return cls(data=tuple(SamplerView(name=s.name, label=s.label, aliases=s.aliases) for s in SAMPLERS))
