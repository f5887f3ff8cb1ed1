"""Submitting a job's current attempt to its endpoint."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contract.environment import ModelEndpoint
from jobs.changes import JobChanges
from jobs.completion import finish
from jobs.deadlines import due_accepted
from jobs.errors import EndpointUnavailableError, UnconfirmedInvocationError
from jobs.job import Job, Outcome
from jobs.lifecycle import JobStatus
from jobs.ports import Endpoints

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Invoker:
    """Invokes endpoints and records the answers."""

    invocations: Endpoints
    changes: JobChanges
    endpoints: Mapping[str, ModelEndpoint]
    clock: Callable[[], datetime]

    def invoke(self, job: Job) -> Job:
        """Invokes the endpoint with the job's current attempt, and returns the job's record.

        If the answer is lost, or cannot be stored, the record stays without an invocation, and the reconciler
        examines it soon.

        Raises:
            EndpointUnavailableError: the endpoint did not accept the job, whose status is now `failed`.
        """
        try:
            invocation = self.invocations.invoke(job.generation, job.attempt)
        except UnconfirmedInvocationError:
            return job
        except EndpointUnavailableError as error:
            self.fail(job, error)
            raise
        due_at = due_accepted(self.clock(), self.endpoints[job.generation.model])
        try:
            return self.changes.confirm(job, invocation, due_at=due_at)
        except Exception:
            _LOGGER.exception("invocation %s was accepted, but could not be stored", job.invocation_id)
            return job

    def fail(self, job: Job, error: EndpointUnavailableError) -> None:
        """Fails a job that could not be submitted."""
        outcome = Outcome(status=JobStatus.FAILED, error=error.problem())
        finish(self.changes, job, outcome, self.clock())
