"""The reconciler: ends jobs whose completion messages were lost, and submits interrupted ones once more."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contract.environment import ModelEndpoint
from contract.problem import ErrorCode, Problem
from jobs.changes import JobChanges
from jobs.completion import CompletionService, finish
from jobs.deadlines import due_unconfirmed
from jobs.errors import EndpointUnavailableError, JobNotFoundError
from jobs.invoker import Invoker
from jobs.job import Job, Outcome, UnfinishedJob
from jobs.lifecycle import Event, JobStatus
from jobs.ports import Endpoints, Estimates, JobRepository

_LOGGER = logging.getLogger(__name__)
_MAX_MEASUREMENTS = 10


class Action(StrEnum):
    """An action of the reconciler on a job; the values are names of metrics."""

    COMPLETED = "JobsCompletedLate"
    RESUBMITTED = "JobsResubmitted"
    FAILED = "JobsFailedByReconciler"
    CANCELED = "JobsCanceledByReconciler"
    EXPIRED = "JobsExpired"


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Examines overdue jobs, and those whose endpoint is gone.

    A job that cannot be examined is logged and examined again at the next run; the others are not affected.
    """

    jobs: JobRepository
    invocations: Endpoints
    estimates: Estimates
    completion: CompletionService
    changes: JobChanges
    invoker: Invoker
    endpoints: Mapping[str, ModelEndpoint]
    clock: Callable[[], datetime]

    def run(self, *, may_continue: Callable[[], bool]) -> Counter[Action]:
        """Examines the jobs of every queue, and measures waking times. Returns the number of each action.

        Args:
            may_continue: called before each job; False ends the run, and the next one continues.
        """
        actions: Counter[Action] = Counter()
        for queue in dict.fromkeys(endpoint.queue for endpoint in self.endpoints.values()):
            waiting = tuple(self.jobs.unfinished(queue))
            lost = self._on_missing_endpoints(waiting)
            for job_id in dict.fromkeys((*self.jobs.overdue(queue, self.clock()), *lost)):
                if not may_continue():
                    return actions
                try:
                    actions.update(self._examine(job_id, endpoint_is_missing=job_id in lost))
                except Exception:
                    _LOGGER.exception("job %s could not be examined", job_id)
            self._measure_waking(queue, waiting)
        return actions

    def _on_missing_endpoints(self, jobs: Iterable[UnfinishedJob]) -> set[str]:
        """The ids of the jobs that an endpoint accepted which no longer exists."""
        by_endpoint: dict[str, set[str]] = {}
        for job in jobs:
            if job.endpoint is not None:
                by_endpoint.setdefault(job.endpoint, set()).add(job.id)
        missing = (ids for name, ids in by_endpoint.items() if not self.invocations.exists(name))
        return set().union(*missing)

    def _examine(self, job_id: str, *, endpoint_is_missing: bool) -> tuple[Action, ...]:
        """Does what is due, and returns it; nothing if the job has ended or is no longer overdue."""
        try:
            job = self.jobs.get(job_id)
        except JobNotFoundError:
            return ()
        if job.status.is_terminal:
            return ()
        job = self.completion.complete(job)
        if job.status.is_terminal:
            return (Action.COMPLETED,)
        is_overdue = job.due_at is not None and job.due_at <= self.clock()
        if not is_overdue and not endpoint_is_missing:
            return ()
        if job.cancel_requested:
            return self._end(job, Outcome(status=JobStatus.CANCELED), Action.CANCELED)
        if job.interrupted or job.invocation is None or endpoint_is_missing:
            return self._resubmit(job)
        problem = Problem.of(
            ErrorCode.EXPIRED, "The model's endpoint did not finish the job in time; send it again."
        )
        return self._end(job, Outcome(status=JobStatus.EXPIRED, error=problem), Action.EXPIRED)

    def _resubmit(self, job: Job) -> tuple[Action, ...]:
        """Submits the job once more; fails it if no attempts are left, or the endpoint refuses it."""
        changed = self.changes.apply(
            job,
            Event.RESUBMIT,
            invocation=None,
            started_at=None,
            due_at=due_unconfirmed(self.clock()),
        )
        if changed is None:
            problem = Problem.of(
                ErrorCode.ENDPOINT_UNAVAILABLE,
                f"The model's endpoint lost the job in {job.attempt} attempts; send it again.",
            )
            return self._end(job, Outcome(status=JobStatus.FAILED, error=problem), Action.FAILED)
        try:
            self.invoker.invoke(changed)
        except EndpointUnavailableError:
            return (Action.FAILED,)
        return (Action.RESUBMITTED,)

    def _end(self, job: Job, outcome: Outcome, action: Action) -> tuple[Action, ...]:
        ended = finish(self.changes, job, outcome, self.clock())
        return () if ended is None else (action,)

    def _measure_waking(self, queue: str, waiting: tuple[UnfinishedJob, ...]) -> None:
        """Measures the time from the submission of the oldest job until there is an instance."""
        instances = self.invocations.instances(queue)
        waking = self.estimates.waking(queue)
        if instances == 0 and waiting and waking.since is None:
            oldest = min(each.created_at for each in waiting)
            self.estimates.set_waking(queue, replace(waking, since=oldest))
        elif instances and waking.since is not None:
            seconds = (*waking.seconds, (self.clock() - waking.since).total_seconds())
            self.estimates.set_waking(
                queue, replace(waking, since=None, seconds=seconds[-_MAX_MEASUREMENTS:])
            )
