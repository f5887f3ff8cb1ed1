"""Jobs that their clients cancel: the marker in S3, looked for while a job waits and is drawn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from contract.problem import ErrorCode, ProblemError
from inference.data_bucket import DataBucket
from inference.invocation.running_jobs import Interruption
from inference.observability.logs import ContextThreads

_INTERVAL_S = 1.0
_PATIENCE_S = 1.0
"""What a job waits for the first answer of an S3 that is slow; it then goes on without."""


class CanceledError(ProblemError):
    """The job's client has canceled it."""

    code = ErrorCode.CANCELED


class CancellationWatch:
    """Looks for the markers of running jobs: once a second each at the most, on threads of its own."""

    def __init__(
        self, bucket: DataBucket, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._bucket = bucket
        self._sleep = sleep
        self._threads = ContextThreads(max_workers=2, thread_name_prefix="cancellation")

    @asynccontextmanager
    async def over(self, job_id: str, interruption: Interruption) -> AsyncIterator[None]:
        """Ends the interruptible block with a CanceledError once the job's marker is there.

        The block begins after the first look, so that nothing is drawn of a job that was canceled before.
        """
        looked = asyncio.Event()
        watching = asyncio.create_task(self._watch(job_id, interruption, looked))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await looked.wait()
            yield
        finally:
            watching.cancel()

    async def _watch(self, job_id: str, interruption: Interruption, looked: asyncio.Event) -> None:
        run = asyncio.get_running_loop().run_in_executor
        while not await run(self._threads, self._bucket.is_canceled, job_id):
            looked.set()
            await self._sleep(_INTERVAL_S)
        interruption.end(CanceledError("The job was canceled before its images were drawn."))
