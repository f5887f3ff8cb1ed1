"""A job and its states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contract.generation import Generation
from contract.problem import Problem
from contract.result import ImageResult, ResultDetails


class JobStatus(StrEnum):
    """The status of a job. `running` is derived from the container's progress and never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        """True if the job has ended."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED)


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """The `s3://` URIs where SageMaker will store the container's response."""

    output_location: str
    failure_location: str | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The final status of a job with its images or its error."""

    status: JobStatus
    images: tuple[ImageResult, ...] = ()
    result: ResultDetails | None = None
    error: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """The record of a job.

    Attributes:
        status: `queued` until the job has ended.
        expires_at: when the record and the images are removed, in whole seconds.
        invocation: None until the endpoint has accepted the job.
        finished_at: None until the job has ended.
        images: empty until the job has succeeded.
        result: None until the job has succeeded, and in records that do not contain it.
        cancel_requested: the client has canceled the job. It may still succeed or fail.
    """

    generation: Generation
    status: JobStatus
    created_at: datetime
    expires_at: datetime
    invocation: Invocation | None = None
    finished_at: datetime | None = None
    images: tuple[ImageResult, ...] = ()
    result: ResultDetails | None = None
    error: Problem | None = None
    cancel_requested: bool = False

    @property
    def id(self) -> str:
        """The job's ULID."""
        return self.generation.id
