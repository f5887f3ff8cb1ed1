"""Cancellation of jobs by their clients: polls S3 for the marker object of each running job."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from contract.problem import ErrorCode, ProblemError
from inference.data_bucket import DataBucket
from inference.invocation.running_jobs import CancelScope
from inference.observability.logs import ContextThreadPool

_POLL_INTERVAL_S = 1.0
_FIRST_POLL_TIMEOUT_S = 1.0
_THREADS = 4
"""Poll the 16 jobs of a container within a second even if S3 takes 0.2 s to answer."""


class CanceledError(ProblemError):
    """The client canceled the job."""

    code = ErrorCode.CANCELED


class CancellationWatch:
    """Polls the cancellation markers of running jobs, on threads of its own."""

    def __init__(
        self,
        bucket: DataBucket,
        *,
        first_poll_timeout_s: float = _FIRST_POLL_TIMEOUT_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Creates the watch.

        Args:
            bucket: holds the markers.
            first_poll_timeout_s: a job starts after this time even if S3 has not answered its first poll.
            sleep: waits between two polls.
        """
        self._bucket = bucket
        self._first_poll_timeout_s = first_poll_timeout_s
        self._sleep = sleep
        self._executor = ContextThreadPool(max_workers=_THREADS, thread_name_prefix="cancellation")

    @asynccontextmanager
    async def watch(self, job_id: str, scope: CancelScope) -> AsyncIterator[None]:
        """Polls the job's marker once a second during the block, and cancels the scope once it exists.

        The block starts after the first poll, so that a job that is already canceled does no work.
        """
        polled = asyncio.Event()
        polling = asyncio.create_task(self._poll(job_id, scope, polled))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._first_poll_timeout_s):
                    await polled.wait()
            yield
        finally:
            polling.cancel()

    async def _poll(self, job_id: str, scope: CancelScope, polled: asyncio.Event) -> None:
        run = asyncio.get_running_loop().run_in_executor
        while not await run(self._executor, self._bucket.is_canceled, job_id):
            polled.set()
            await self._sleep(_POLL_INTERVAL_S)
        scope.cancel(CanceledError("The job was canceled before its images were generated."))
