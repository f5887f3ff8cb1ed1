"""Finishing jobs from SageMaker's completion messages."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from contract.problem import ErrorCode, Problem
from contract.result import ResultDetails
from jobs.errors import ForeignResultError, UnreadableDocumentError
from jobs.job import Job, JobStatus, Outcome
from jobs.ports import JobDocuments, JobRepository

_LOGGER = logging.getLogger(__name__)


class InvocationStatus(StrEnum):
    """The final status of an asynchronous invocation."""

    COMPLETED = "Completed"
    FAILED = "Failed"


class _MessagePart(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class ResponseParameters(_MessagePart):
    """The `s3://` URIs of the container's response."""

    output_location: str | None = None
    failure_location: str | None = None


class CompletionMessage(_MessagePart):
    """The message that SageMaker publishes when an asynchronous invocation has ended.

    Contains only the fields that are used here; see "Check prediction results" in SageMaker's asynchronous
    inference guide.
    """

    invocation_status: InvocationStatus
    event_time: datetime
    inference_id: str
    failure_reason: str | None = None
    response_parameters: ResponseParameters = Field(default_factory=ResponseParameters)


@dataclass(frozen=True, kw_only=True)
class CompletionService:
    """Finishes jobs. Messages may be repeated and may arrive in any order; the first one for a job counts."""

    jobs: JobRepository
    documents: JobDocuments

    def finish(self, message: CompletionMessage) -> bool:
        """Finishes the message's job. Returns False if the job had already ended.

        Raises:
            JobNotFoundError: no job has the invocation's inference id.
            ForeignResultError: the result is that of another invocation.
            UnreadableDocumentError: a completed invocation has no valid result document.
        """
        job = self.jobs.get(message.inference_id)
        if job.status.is_terminal:
            return False
        return self.jobs.finish(job.id, self._outcome(job, message), message.event_time)

    def _outcome(self, job: Job, message: CompletionMessage) -> Outcome:
        if message.invocation_status is InvocationStatus.FAILED:
            problem = self._problem(job, message)
            if problem.code is ErrorCode.CANCELED:
                return Outcome(status=JobStatus.CANCELED)
            return Outcome(status=JobStatus.FAILED, error=problem)
        location = message.response_parameters.output_location
        if location is None:
            raise UnreadableDocumentError(f"the message for job {job.id} has no output location")
        if job.invocation is not None and location != job.invocation.output_location:
            raise ForeignResultError(
                f"the message for job {job.id} names {location}, but the job's output location is "
                f"{job.invocation.output_location}"
            )
        result = self.documents.read_result(location)
        if result.id != job.id:
            return self._outcome_of_foreign_result(job, result.id)
        details = ResultDetails(**result.model_dump(include={*ResultDetails.model_fields}))
        return Outcome(status=JobStatus.SUCCEEDED, images=result.images, result=details)

    def _outcome_of_foreign_result(self, job: Job, result_id: str) -> Outcome:
        """The failure of a job at whose output location the result of another job is stored."""
        text = f"the result document of job {job.id} contains the result of job {result_id}"
        if job.invocation is None:
            raise ForeignResultError(f"{text}; the location of the job's own result is not known yet")
        _LOGGER.error(text)
        problem = Problem.of(ErrorCode.INTERNAL, "The model's endpoint stored the result of another job.")
        return Outcome(status=JobStatus.FAILED, error=problem)

    def _problem(self, job: Job, message: CompletionMessage) -> Problem:
        location = message.response_parameters.failure_location
        if location is None and job.invocation is not None:
            location = job.invocation.failure_location
        if location is not None:
            try:
                return self.documents.read_problem(location)
            except UnreadableDocumentError as error:
                _LOGGER.warning("job %s: %s", job.id, error)
        _LOGGER.warning("job %s failed without a problem document: %s", job.id, message.failure_reason)
        return Problem.of(
            ErrorCode.INTERNAL,
            "The model's endpoint failed without reporting a reason; the endpoint's log may contain it.",
        )
