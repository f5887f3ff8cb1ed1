"""Settling jobs from SageMaker's notices."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from contract.problem import ErrorCode, Problem
from jobs.errors import UnreadableAnswerError
from jobs.job import Job, JobStatus, Outcome
from jobs.ports import JobDocuments, JobRepository

_LOGGER = logging.getLogger(__name__)


class InvocationStatus(StrEnum):
    """How SageMaker says an invocation ended."""

    COMPLETED = "Completed"
    FAILED = "Failed"


class _NoticePart(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True)


class ResponseParameters(_NoticePart):
    """Where SageMaker put the container's answer."""

    output_location: str | None = None
    failure_location: str | None = None


class Notice(_NoticePart):
    """What SageMaker publishes when an asynchronous invocation has ended.

    Only what is used here; see "Check prediction results" in SageMaker's asynchronous inference guide.
    """

    invocation_status: InvocationStatus
    event_time: datetime
    inference_id: str
    failure_reason: str | None = None
    response_parameters: ResponseParameters = Field(default_factory=ResponseParameters)


@dataclass(frozen=True, kw_only=True)
class Completion:
    """The use case behind the completion queue. CompletionQueue may repeat and come in any order."""

    jobs: JobRepository
    documents: JobDocuments

    def settle(self, notice: Notice) -> bool:
        """Ends the notice's job: True if this notice did it, False if the job had ended before.

        Raises:
            JobNotFoundError: the invocation belongs to no job on record.
            UnreadableAnswerError: a completed invocation left no result document.
        """
        job = self.jobs.get(notice.inference_id)
        if job.status.is_terminal:
            return False
        return self.jobs.settle(job.id, self._outcome(job, notice), notice.event_time)

    def _outcome(self, job: Job, notice: Notice) -> Outcome:
        if notice.invocation_status is InvocationStatus.FAILED:
            problem = self._problem(job, notice)
            if problem.code is ErrorCode.CANCELED:
                return Outcome(status=JobStatus.CANCELED)
            return Outcome(status=JobStatus.FAILED, error=problem)
        location = notice.response_parameters.output_location
        if location is None:
            raise UnreadableAnswerError(f"the notice for job {notice.inference_id} names no output location")
        result = self.documents.read_result(location)
        return Outcome(status=JobStatus.SUCCEEDED, images=result.images)

    def _problem(self, job: Job, notice: Notice) -> Problem:
        location = notice.response_parameters.failure_location
        if location is None and job.invocation is not None:
            location = job.invocation.failure_location
        if location is not None:
            try:
                return self.documents.read_problem(location)
            except UnreadableAnswerError as error:
                _LOGGER.warning("job %s: %s", job.id, error)
        _LOGGER.warning("job %s failed without a problem document: %s", job.id, notice.failure_reason)
        return Problem.of(
            ErrorCode.INTERNAL, "The endpoint gave no account of the failure; its log may say more."
        )
