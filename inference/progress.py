"""Publishing how far a job is, without holding up the drawing."""

import time
from collections.abc import Callable
from concurrent.futures import Executor

from inference.contract.progress import Phase, Progress
from inference.storage import DataBucket

_INTERVAL_S = 1.0


class ProgressPublisher:
    """Stores a job's progress on another thread, at most once a second.

    What comes sooner is dropped: the next step says it again.
    """

    def __init__(
        self,
        bucket: DataBucket,
        job_id: str,
        executor: Executor,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._job_id = job_id
        self._executor = executor
        self._clock = clock
        self._next_s = clock()
        self._total_steps = 0

    def on_step(self, step: int, total_steps: int) -> None:
        """Tells of a denoiser evaluation: see `inference.engine.OnStep`."""
        self._total_steps = total_steps
        self._publish(Progress(phase=Phase.DENOISING, step=step, total_steps=total_steps))

    def on_drawn(self) -> None:
        """Tells that the images are drawn and on their way to S3."""
        self._publish(Progress(phase=Phase.UPLOADING, step=self._total_steps, total_steps=self._total_steps))

    def _publish(self, progress: Progress) -> None:
        now = self._clock()
        if now < self._next_s:
            return
        self._next_s = now + _INTERVAL_S
        self._executor.submit(self._bucket.store_progress, self._job_id, progress)
