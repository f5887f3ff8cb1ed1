"""Starting and finishing jobs, from messages and from the responses in S3."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract.environment import ModelEndpoint
from contract.identifiers import InvocationId, S3Location
from contract.problem import ErrorCode, Problem
from contract.result import GenerationResult, ResultDetails
from jobs.changes import JobChanges
from jobs.completion_messages import CompletionMessage, InvocationStatus
from jobs.deadlines import due_started
from jobs.errors import RecordTooLargeError, UnreadableDocumentError
from jobs.job import Job, Outcome
from jobs.lifecycle import FINAL_EVENTS, Event, JobStatus
from jobs.ports import Estimates, JobDocuments, JobRepository
from jobs.workload import units_of, workload_of

_LOGGER = logging.getLogger(__name__)
_INTERRUPTIONS = (ErrorCode.ENDPOINT_UNAVAILABLE, ErrorCode.MODEL_LOADING)
"""Errors of a container that shuts down or is not ready: another attempt may succeed."""


@dataclass(frozen=True, kw_only=True)
class CompletionService:
    """Starts and finishes jobs.

    Messages may be lost, be repeated and arrive in any order. A job is finished by the first response that is
    seen: by a message, by a read of the job, or by the reconciler.
    """

    jobs: JobRepository
    documents: JobDocuments
    estimates: Estimates
    changes: JobChanges
    endpoints: Mapping[str, ModelEndpoint]
    clock: Callable[[], datetime]

    def start(self, invocation: InvocationId, started_at: datetime) -> bool:
        """Marks the job of an invocation as running. Returns False if it had started or ended before.

        Raises:
            JobNotFoundError: there is no such job.
        """
        job = self.jobs.get(invocation.job_id)
        due_at = due_started(started_at, self.endpoints[job.generation.model])
        started = self.changes.apply(
            job, Event.START, attempt=invocation.attempt, started_at=started_at, due_at=due_at
        )
        return started is not None

    def finish(self, message: CompletionMessage) -> bool:
        """Finishes the message's job. Returns False if the job had ended, or if the message is not about it.

        Raises:
            JobNotFoundError: there is no such job.
        """
        invocation = message.invocation
        job = self.jobs.get(invocation.job_id)
        if job.status.is_terminal:
            return False
        locations = message.response_parameters
        if message.invocation_status is InvocationStatus.COMPLETED:
            uri = locations.output_location or self.documents.find_result(invocation)
            if uri is not None and not _belongs_to(uri, invocation):
                _LOGGER.error("a completion message of %s names %s; it is ignored", invocation, uri)
                return False
            result = self._read_result(job, uri) if uri else None
            return self._on_result(job, result, message.event_time) is not None
        _LOGGER.warning("invocation %s failed: %s", invocation, message.failure_reason)
        uri = locations.failure_location or self.documents.find_failure(invocation)
        problem = self._read_problem(uri) if uri and _belongs_to(uri, invocation) else None
        return self._on_failure(job, invocation.attempt, problem, message.event_time) is not None

    def complete(self, job: Job) -> Job:
        """Finishes an unfinished job whose response is already in S3, and returns the current record."""
        known = job.invocation
        for attempt in range(job.attempt, 0, -1):
            invocation = InvocationId(job.id, attempt)
            is_current = attempt == job.attempt
            uri = known.output_location if known and is_current else self.documents.find_result(invocation)
            result = self._read_result(job, uri) if uri else None
            if result is not None:
                return self._on_result(job, result, self.clock()) or self.jobs.get(job.id)
        if job.interrupted:
            return job
        uri = known.failure_location if known and known.failure_location else None
        problem = self._read_problem(uri or self.documents.find_failure(job.invocation_id))
        if problem is None:
            return job
        return self._on_failure(job, job.attempt, problem, self.clock()) or self.jobs.get(job.id)

    def _read_result(self, job: Job, uri: str) -> GenerationResult | Problem | None:
        """The result, or a problem if the object is not this job's result; None if there is no object."""
        try:
            result = self.documents.read_result(uri)
        except UnreadableDocumentError as error:
            _LOGGER.warning("job %s: %s", job.id, error)
            return Problem.of(ErrorCode.INTERNAL, "The result document of the job cannot be read.")
        if result is not None and result.id != job.id:
            _LOGGER.error("the result document of job %s has the id %s", job.id, result.id)
            return Problem.of(ErrorCode.INTERNAL, "The result document belongs to another job.")
        return result

    def _read_problem(self, uri: str | None) -> Problem | None:
        """The container's problem document; None if there is none."""
        try:
            return self.documents.read_problem(uri) if uri else None
        except UnreadableDocumentError as error:
            _LOGGER.warning("the response of a container is not a problem document: %s", error)
            return Problem.of(ErrorCode.INTERNAL, "The container failed; its log contains the reason.")

    def _on_result(
        self, job: Job, result: GenerationResult | Problem | None, finished_at: datetime
    ) -> Job | None:
        if isinstance(result, GenerationResult):
            details = ResultDetails(**result.model_dump(include={*ResultDetails.model_fields}))
            outcome = Outcome(status=JobStatus.SUCCEEDED, images=result.images, result=details)
            finished = self._store(job, outcome, finished_at)
            if finished is not None:
                self._measure(finished)
            return finished
        problem = result or Problem.of(
            ErrorCode.INTERNAL, "The endpoint stored no result document for the job."
        )
        return self._store(job, Outcome(status=JobStatus.FAILED, error=problem), finished_at)

    def _on_failure(
        self, job: Job, attempt: int, problem: Problem | None, finished_at: datetime
    ) -> Job | None:
        """Fails the job, or interrupts it if its container went away and it may be submitted once more."""
        if problem is None or problem.code in _INTERRUPTIONS:
            interrupted = self.changes.apply(
                job, Event.INTERRUPT, attempt=attempt, due_at=self.clock(), started_at=None
            )
            if interrupted is not None:
                return interrupted
        if problem is not None and problem.code is ErrorCode.CANCELED:
            return self._store(job, Outcome(status=JobStatus.CANCELED), finished_at, attempt=attempt)
        error = problem or Problem.of(
            ErrorCode.INTERNAL,
            "The model's container ended without a response, perhaps because its memory was exhausted; the "
            "endpoint's log may contain the reason.",
        )
        return self._store(job, Outcome(status=JobStatus.FAILED, error=error), finished_at, attempt=attempt)

    def _store(
        self, job: Job, outcome: Outcome, finished_at: datetime, *, attempt: int | None = None
    ) -> Job | None:
        """Stores the outcome, with fewer details if the record would be too large otherwise."""
        too_large = Problem.of(ErrorCode.INTERNAL, "The result is too large for the job's record.")
        for each in (
            outcome,
            Outcome(status=outcome.status, images=outcome.images, error=outcome.error),
            Outcome(status=JobStatus.FAILED, error=too_large),
        ):
            try:
                return finish(self.changes, job, each, finished_at, attempt=attempt)
            except RecordTooLargeError:
                _LOGGER.warning("the outcome of job %s is too large for its record", job.id)
        raise RecordTooLargeError(job.id)

    def _measure(self, job: Job) -> None:
        """Adds the processing time of a job that succeeded to the estimates."""
        seconds = job.result.durations_s.get("total") if job.result else None
        if seconds is not None:
            self.estimates.add_processing(workload_of(job.generation), seconds / units_of(job.generation))


def finish(
    changes: JobChanges, job: Job, outcome: Outcome, finished_at: datetime, *, attempt: int | None = None
) -> Job | None:
    """Finishes a job; see `JobChanges.apply`."""
    attributes: dict[str, Any] = {
        "images": outcome.images,
        "result": outcome.result,
        "error": outcome.error,
        "finished_at": finished_at,
        "due_at": None,
    }
    return changes.apply(job, FINAL_EVENTS[outcome.status], attempt=attempt, **attributes)


def _belongs_to(uri: str, invocation: InvocationId) -> bool:
    """Whether a response's object is named after the invocation."""
    return S3Location.parse(uri).key.rpartition("/")[2].startswith(str(invocation))
