"""The unfinished jobs of a caller that were submitted with this API."""

from contextlib import suppress

from jobs.caller import Caller
from jobs.compatibility.automatic1111.request import TAG
from jobs.errors import AlreadyTerminalError
from jobs.job import Job, JobFilters
from jobs.lifecycle import JobStatus
from jobs.service import JobService

_LIMIT = 100
"""Of jobs of a status; on a stage whose jobs are shared, including those of other callers."""


def unfinished_jobs(service: JobService, caller: Caller) -> tuple[Job, ...]:
    """The caller's jobs of this API, the running ones first, each time the oldest first."""
    found: list[Job] = []
    for status in (JobStatus.RUNNING, JobStatus.QUEUED):
        page = service.list(caller, JobFilters(status=status, tag=TAG), limit=_LIMIT)
        found += (job for job in reversed(page.jobs) if job.owner == caller.id)
    return tuple(found)


def interrupt(service: JobService, caller: Caller) -> None:
    """Cancels the jobs.

    Raises:
        EndpointUnavailableError: a cancellation could not be stored.
    """
    for job in unfinished_jobs(service, caller):
        with suppress(AlreadyTerminalError):
            service.cancel(job.id, caller)
