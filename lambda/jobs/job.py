"""A job and the states it passes through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contract.generation import Generation
from contract.problem import Problem
from contract.result import ImageResult


class JobStatus(StrEnum):
    """Where a job stands. `running` is seen in the container's progress and never stored."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        """True when the job will not change any more."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED)


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """Where SageMaker will put its answer."""

    output_location: str
    failure_location: str | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended."""

    status: JobStatus
    images: tuple[ImageResult, ...] = ()
    error: Problem | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job as it is on record.

    Attributes:
        status: `queued` until it is settled.
        expires_at: when the record and the images are removed, in whole seconds.
        invocation: None until the endpoint has taken the job.
        finished_at: None until it is settled.
        cancel_requested: its client has canceled it; until it is settled, it may yet succeed or fail.
    """

    generation: Generation
    status: JobStatus
    created_at: datetime
    expires_at: datetime
    invocation: Invocation | None = None
    finished_at: datetime | None = None
    images: tuple[ImageResult, ...] = ()
    error: Problem | None = None
    cancel_requested: bool = False

    @property
    def id(self) -> str:
        """The job's ULID."""
        return self.generation.id
