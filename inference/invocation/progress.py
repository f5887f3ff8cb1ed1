"""Publishing how far a job is, without holding up the drawing."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from types import TracebackType
from typing import Self

from contract.progress import Phase, Progress
from inference.data_bucket import DataBucket

_INTERVAL_S = 1.0


class ProgressPublisher:
    """Stores a job's latest progress, at most once a second, each time after the last is stored.

    What comes in between is dropped; the last word is not. As a context manager it lasts as long as the job.
    If the job succeeds, its last word may be stored after the block has ended.
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
        self._ended = False
        self._total_steps = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._storing = self._loop.create_task(self._store_latest())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._ended = True
            self._news.set()
        else:
            self._storing.cancel()

    def on_step(self, step: int, total_steps: int) -> None:
        """Tells of a denoiser evaluation, from any thread: see `inference.engine.interface.OnStep`."""
        self._total_steps = total_steps
        self._publish(Progress(phase=Phase.DENOISING, step=step, total_steps=total_steps))

    def on_drawn(self) -> None:
        """Tells that the images are drawn and on their way to S3."""
        self._publish(Progress(phase=Phase.UPLOADING, step=self._total_steps, total_steps=self._total_steps))

    def _publish(self, progress: Progress) -> None:
        self._latest = progress
        self._loop.call_soon_threadsafe(self._news.set)

    async def _store_latest(self) -> None:
        stored: Progress | None = None
        while not (self._ended and self._latest is stored):
            await self._news.wait()
            self._news.clear()
            latest = self._latest
            if latest is None or latest is stored:
                continue
            stored = latest
            await self._loop.run_in_executor(
                self._executor, self._bucket.store_progress, self._job_id, latest
            )
            await self._sleep(_INTERVAL_S)
