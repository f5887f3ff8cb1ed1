"""Publishing of a job's progress to S3, without blocking the generation."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Self

from contract.progress import Phase, Progress
from inference.data_bucket import DataBucket

_INTERVAL_S = 1.0


class ProgressPublisher:
    """Stores a job's latest progress, at most once a second and never two documents at once.

    Progress that is superseded before it can be stored is dropped. As an async context manager it lasts as
    long as the job; the last progress of a job that succeeds may be stored after the block.
    """

    def __init__(
        self,
        bucket: DataBucket,
        job_id: str,
        executor: Executor,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bucket = bucket
        self._job_id = job_id
        self._executor = executor
        self._sleep = sleep
        self._latest: Progress | None = None
        self._closed = False
        self._total_steps = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._storing = self._loop.create_task(self._store_latest())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._closed = True
            self._changed.set()
        else:
            self._storing.cancel()

    def on_step(self, step: int, total_steps: int) -> None:
        """Publishes a denoiser evaluation; thread-safe, see `inference.engine.interface.OnStep`."""
        self._total_steps = total_steps
        self._publish(Progress(phase=Phase.DENOISING, step=step, total_steps=total_steps))

    def on_generated(self) -> None:
        """Publishes that the images are generated and about to be uploaded."""
        self._publish(Progress(phase=Phase.UPLOADING, step=self._total_steps, total_steps=self._total_steps))

    def _publish(self, progress: Progress) -> None:
        self._latest = progress
        self._loop.call_soon_threadsafe(self._changed.set)

    async def _store_latest(self) -> None:
        stored: Progress | None = None
        while not (self._closed and self._latest is stored):
            await self._changed.wait()
            self._changed.clear()
            latest = self._latest
            if latest is None or latest is stored:
                continue
            stored = latest
            await self._loop.run_in_executor(
                self._executor, self._bucket.store_progress, self._job_id, latest
            )
            await self._sleep(_INTERVAL_S)
