"""A job: its record, and views of it with what is known beside the record."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contract.generation import Generation
from contract.identifiers import InvocationId
from contract.problem import Problem
from contract.progress import Progress
from contract.result import ImageResult, ResultDetails
from contract.submission import WebhookEvent
from jobs.lifecycle import Event, JobState, JobStatus, after, may_occur
from jobs.prompt_text import folded, searched


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """An invocation that the endpoint has accepted.

    Attributes:
        endpoint: the name of the endpoint.
        output_location: the `s3://` URI where SageMaker will store the result.
        failure_location: the `s3://` URI where SageMaker will store the container's error; None if unknown.
    """

    endpoint: str
    output_location: str
    failure_location: str | None


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """The webhook of a job.

    Attributes:
        prediction_address: the URL of the API in Replicate's form, if the job was submitted with it: calls
            then contain the prediction. None: they contain the event and the job.
    """

    url: str
    events: tuple[WebhookEvent, ...]
    prediction_address: str | None = None


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
        owner: the id of the caller that submitted the job.
        queue: the endpoint's queue; see `contract.environment.ModelEndpoint`.
        expires_at: when the record and the images are removed, in whole seconds.
        due_at: when the reconciler examines the job; None once the job has ended.
        attempt: the number of the current invocation, from 1.
        interrupted: the current attempt has ended without a result, and the next one is due.
        invocation: None until the endpoint has accepted the current attempt.
        started_at: when the current attempt started; None before.
        finished_at: None until the job has ended.
        images: empty until the job has succeeded.
        result: None until the job has succeeded, and in records that do not contain it.
        error: why the job failed or expired; None otherwise.
        cancel_requested: the client has canceled the job. It may still succeed or fail.
        revision: the number of the record's changes.
    """

    generation: Generation
    owner: str
    queue: str
    status: JobStatus
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None
    tags: tuple[str, ...] = ()
    webhook: Webhook | None = None
    attempt: int = 1
    interrupted: bool = False
    invocation: Invocation | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    images: tuple[ImageResult, ...] = ()
    result: ResultDetails | None = None
    error: Problem | None = None
    cancel_requested: bool = False
    revision: int = 0

    @property
    def id(self) -> str:
        """The job's ULID."""
        return self.generation.id

    @property
    def invocation_id(self) -> InvocationId:
        """The id of the current attempt."""
        return InvocationId(self.id, self.attempt)

    @property
    def state(self) -> JobState:
        """The state of the job's life."""
        return JobState(self.status, self.attempt, self.interrupted, self.cancel_requested)

    def after(self, event: Event, *, attempt: int | None = None, **changes: Any) -> "Job | None":
        """The job after an event; None if the event may not occur.

        Args:
            event: the event.
            attempt: the attempt that the event belongs to; None if it belongs to none.
            changes: further attributes to change.
        """
        if not may_occur(self.state, event, attempt=attempt):
            return None
        state = after(self.state, event)
        return replace(
            self,
            status=state.status,
            attempt=state.attempt,
            interrupted=state.interrupted,
            cancel_requested=state.cancel_requested,
            **changes,
        )


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The waiting time of an unfinished job; None where nothing is known yet.

    Attributes:
        waking_capacity: the endpoint has no instance; one is being started.
        position: the job's place among those that have not started, from 1; None once it has started.
        eta_seconds: until the job is expected to end.
        basis: the measurements behind `eta_seconds`.
    """

    waking_capacity: bool = False
    position: int | None = None
    eta_seconds: float | None = None
    basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobSnapshot:
    """A job at the moment of a request.

    Attributes:
        progress: the container's latest progress; None before the first one and once the job has ended.
        estimate: None once the job has ended.
        preview_uri: the `s3://` URI of the preview; None if there is none.
    """

    job: Job
    progress: Progress | None = None
    estimate: Estimate | None = None
    preview_uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobFilters:
    """The jobs to list; None for any.

    Attributes:
        text: a part of the prompt, in any case; see `jobs.prompt_text`.
    """

    status: JobStatus | None = None
    model: str | None = None
    tag: str | None = None
    text: str | None = None

    def match(self, job: Job) -> bool:
        """Whether the job is one of them."""
        return (
            self.status in (None, job.status)
            and self.model in (None, job.generation.model)
            and (self.tag is None or self.tag in job.tags)
            and (self.text is None or folded(self.text) in searched(job.generation.prompt))
        )


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A part of a list of jobs, newest first.

    Attributes:
        last_id: the id to continue after; None if the list has ended.
    """

    jobs: tuple[Job, ...]
    last_id: str | None


@dataclass(frozen=True, kw_only=True)
class UnfinishedJob:
    """The summary of an unfinished job.

    Attributes:
        endpoint: the endpoint that accepted the job; None if none has yet.
        workload: jobs of the same workload take about the same time for each unit of work.
        units: the amount of work, in steps of an image.
    """

    id: str
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    endpoint: str | None
    workload: str
    units: int
