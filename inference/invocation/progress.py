"""Publishing of a job's progress to S3, without blocking the generation."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from threading import Lock
from types import TracebackType
from typing import Any, Self

from contract.progress import Phase, Progress
from inference.data_bucket import DataBucket

_INTERVAL_S = 1.0


class ProgressPublisher:
    """Stores a job's latest progress, at most once a second and never two documents at once; thread-safe.

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
        self._lock = Lock()
        self._latest: Progress | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._storing = self._loop.create_task(self._store_latest())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
        self._changed.set()
        if kind is not None:
            self._storing.cancel()

    def on_model_load(self) -> None:
        """Publishes that the job waits for its model to be loaded."""
        self._publish(phase=Phase.LOADING_MODEL)

    def on_step(self, step: int, total_steps: int) -> None:
        """Publishes a denoiser evaluation; see `inference.engine.interface.OnStep`."""
        self._publish(phase=Phase.DENOISING, step=step, total_steps=total_steps)

    def on_preview_stored(self, step: int) -> None:
        """Publishes that a preview has been stored, taken after this many denoiser evaluations."""
        self._publish(preview_step=step)

    def on_generated(self) -> None:
        """Publishes that the images are generated and about to be uploaded."""
        total_steps = self._latest.total_steps if self._latest else 0
        self._publish(phase=Phase.UPLOADING, step=total_steps)

    def _publish(self, **changes: Any) -> None:
        with self._lock:
            if self._closed:
                return
            latest = self._latest or Progress(phase=Phase.DENOISING, step=0, total_steps=0)
            self._latest = latest.model_copy(update=changes)
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
