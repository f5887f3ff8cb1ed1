"""A generation in the engine's hands: who hears of its steps, and who gets its images."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from threading import Lock
from types import TracebackType
from typing import Self

from PIL import Image

from inference.contract.generation import Generation
from inference.engine import Drawing, Inputs, OnStep

Develop = Callable[[], Image.Image]
"""Makes the finished picture: work for the processor, which must not hold up the device."""


class Ticket:
    """What one generation is owed.

    The device's thread tells of steps and pictures; on the messenger's one thread, in the same order, the
    client hears of them. As a context manager it answers for what its block does: an exception fails the
    ticket, and goes no further.
    """

    def __init__(
        self, generation: Generation, inputs: Inputs, on_step: OnStep, *, messenger: Executor
    ) -> None:
        self.generation = generation
        self.inputs = inputs
        self.future: Future[Drawing] = Future()
        self._on_step = on_step
        self._context = copy_context()
        self._messenger = messenger
        self._resolving = Lock()
        self._begun_at = time.monotonic()
        self._bucket = 1
        self._evaluations = 0
        self._images: dict[int, Image.Image] = {}
        self._concessions: dict[str, None] = {}

    @property
    def over(self) -> bool:
        """Whether nobody waits for the images any more: they are there, or cancelled, or have failed."""
        return self.future.done()

    def begin(self) -> None:
        """Tells that the device has taken the generation up."""
        self._begun_at = time.monotonic()

    def step(self, evaluations: int, *, bucket: int) -> None:
        """Tells of an evaluation for one of the images.

        Args:
            evaluations: what an image takes in all.
            bucket: the size of the forward's bucket.
        """
        self._bucket = max(self._bucket, bucket)
        self._evaluations += 1
        done, rest = divmod(self._evaluations, self.generation.count)
        if not rest:
            self._messenger.submit(self._tell, done, evaluations)

    def concede(self, words: str) -> None:
        """Tells what has been done to draw the images at all; saying it again changes nothing."""
        self._concessions[words] = None

    def deliver(self, index: int, develop: Develop) -> None:
        """Tells that image `index` is drawn."""
        self._messenger.submit(self._keep, index, develop)

    def fail(self, error: Exception) -> None:
        """Tells that there will be no images."""
        self._resolve(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.fail(error)
        return True

    def _tell(self, done: int, evaluations: int) -> None:
        if self.over:
            return
        with self:
            self._context.run(self._on_step, done, evaluations)

    def _keep(self, index: int, develop: Develop) -> None:
        with self:
            self._images[index] = develop()
            if len(self._images) == self.generation.count:
                images = tuple(self._images[index] for index in range(self.generation.count))
                seconds = time.monotonic() - self._begun_at
                self._resolve(
                    Drawing(
                        images=images,
                        bucket=self._bucket,
                        seconds=seconds,
                        concessions=tuple(self._concessions),
                    )
                )

    def _resolve(self, outcome: Drawing | Exception) -> None:
        with self._resolving:
            if self.over or not self.future.set_running_or_notify_cancel():
                return
            if isinstance(outcome, Drawing):
                self.future.set_result(outcome)
            else:
                self.future.set_exception(outcome)
