"""Requests that wait for their images, within the time that API Gateway gives a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from contract.environment import WAIT_S
from contract.problem import ErrorCode, ProblemError
from contract.submission import JobSubmission
from jobs.caller import Caller
from jobs.errors import IdempotencyInFlightError, JobNotFoundError, StillRunningError
from jobs.idempotency import IdempotencyKey
from jobs.job import Job, JobSnapshot
from jobs.lifecycle import JobStatus
from jobs.retry_after import retry_after_s
from jobs.service import JobService

_JOIN_LIFETIME = timedelta(minutes=15)
_POLL_S = 0.5
_POLLS_PER_CHECK = 4
"""Polls read the job's record. Some of them also look for its response in S3, which costs more, since its
completion message may be late."""

_MAX_SUBMISSIONS = 3


@dataclass(frozen=True, kw_only=True)
class SynchronousService:
    """Submits jobs and waits for them.

    Clients that wait know no idempotency keys and send a request again when it has failed. Until its answer
    has been made, the same request of the same caller joins its job, for at most a quarter of an hour.

    Attributes:
        limit_s: the longest wait.
        clock: seconds of any origin.
        sleep: waits for a number of seconds.
    """

    service: JobService
    limit_s: int = WAIT_S
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    @contextmanager
    def generated(self, submission: JobSubmission, caller: Caller, fingerprint: str) -> Iterator[Job]:
        """A job that has succeeded, from a new or a joined submission. The answer is made in the context.

        If the context ends without an error, the answer counts as delivered: the next request with the
        fingerprint generates again. Otherwise the next one gets the same job.

        Args:
            submission: the request.
            caller: the request's caller.
            fingerprint: equal for requests of which the second one is a repetition of the first.

        Raises:
            StillRunningError: the job has not ended within the limit.
            ProblemError: the submission was refused, or the job has failed, has expired or was canceled.
        """
        until = self.clock() + self.limit_s
        key = IdempotencyKey(
            text=f"synchronous\n{fingerprint}",  # a client's own key contains no line break
            request=fingerprint,
            lifetime=_JOIN_LIFETIME,
        )
        job = self._wait(self._join(submission, caller, key), until)
        if not job.status.is_terminal:
            raise StillRunningError(job.id, retry_after_s(self.service.follow(job.id, caller)))
        record_key = key.record_key(caller)
        if job.status is not JobStatus.SUCCEEDED:
            self.service.jobs.release_idempotency(record_key, job.id)
            raise _failure(job)
        yield job
        self.service.jobs.release_idempotency(record_key, job.id)

    def wait(self, job_id: str, caller: Caller, *, limit_s: float) -> JobSnapshot:
        """The job once it has ended, or after the shorter one of `limit_s` and the service's limit.

        Raises:
            JobNotFoundError: there is no such job, or it is not the caller's.
        """
        until = self.clock() + min(limit_s, self.limit_s)
        snapshot = self.service.follow(job_id, caller)
        if snapshot.job.status.is_terminal:
            return snapshot
        self._wait(job_id, until)
        return self.service.follow(job_id, caller)

    def _join(self, submission: JobSubmission, caller: Caller, key: IdempotencyKey) -> str:
        """The id of a new job, or of the one that the key belongs to."""
        jobs, record_key = self.service.jobs, key.record_key(caller)
        for _ in range(_MAX_SUBMISSIONS):
            try:
                return self.service.submit(submission, caller, key).id
            except IdempotencyInFlightError:
                known = jobs.find_idempotency(record_key)
                if known is not None:
                    return known.job_id
            except JobNotFoundError:  # the job that the key belongs to was deleted
                known = jobs.find_idempotency(record_key)
                if known is not None:
                    jobs.release_idempotency(record_key, known.job_id)
        raise IdempotencyInFlightError

    def _wait(self, job_id: str, until: float) -> Job:
        """The job once it has ended, or as it is at the time `until`.

        Raises:
            JobNotFoundError: there is no such job.
        """
        polls = 0
        while True:
            job = self.service.jobs.get(job_id)
            if polls % _POLLS_PER_CHECK == 0 and not job.status.is_terminal:
                job = self.service.completion.complete(job)
            left_s = until - self.clock()
            if job.status.is_terminal or left_s <= 0:
                return job
            self.sleep(min(_POLL_S, left_s))
            polls += 1


def _failure(job: Job) -> ProblemError:
    if job.error is None:
        return ProblemError(f"The job {job.id} was canceled.", code=ErrorCode.CANCELED)
    return ProblemError(job.error.detail, code=job.error.code, errors=job.error.errors)
