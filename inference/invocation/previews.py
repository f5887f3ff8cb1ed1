"""Live previews of a job: stored at most every two seconds, outside the engine thread."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Protocol

from PIL import Image

_INTERVAL_S = 2.0

Encode = Callable[[Image.Image], bytes]
"""Encodes a preview as a JPEG file."""


class PreviewStore(Protocol):
    """Stores previews; see `inference.data_bucket.DataBucket`."""

    def store_preview(self, job_id: str, data: bytes) -> bool:
        """Stores a JPEG file in place of the job's preview, and returns whether that succeeded."""
        ...


class PreviewPublisher:
    """Stores the previews of one job; see `inference.engine.interface.Previews`.

    A preview is not made before the one before it is stored.
    """

    def __init__(
        self,
        bucket: PreviewStore,
        job_id: str,
        executor: Executor,
        *,
        encode: Encode,
        on_stored: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the publisher.

        Args:
            bucket: stores the files.
            job_id: of the job.
            executor: runs encoding and storing.
            encode: encodes an image.
            on_stored: called with the denoiser evaluations at each stored preview.
            clock: monotonic, in seconds.
        """
        self._bucket = bucket
        self._job_id = job_id
        self._executor = executor
        self._encode = encode
        self._on_stored = on_stored
        self._clock = clock
        self._due_at = clock()
        self._storing: Future[None] | None = None

    def claim(self) -> bool:
        """See `inference.engine.interface.Previews.claim`."""
        now = self._clock()
        if now < self._due_at or (self._storing is not None and not self._storing.done()):
            return False
        self._due_at = now + _INTERVAL_S
        return True

    def on_preview(self, image: Image.Image, step: int) -> None:
        """See `inference.engine.interface.Previews.on_preview`."""
        self._storing = self._executor.submit(self._store, image, step)

    def _store(self, image: Image.Image, step: int) -> None:
        if self._bucket.store_preview(self._job_id, self._encode(image)):
            self._on_stored(step)
