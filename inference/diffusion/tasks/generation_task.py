"""A generation in the engine's hands: who hears of its steps, and who gets its images."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context

from PIL import Image

from contract.generation import Generation
from inference.diffusion.tasks.task import Order
from inference.engine.interface import Drawing, Inputs, OnStep

Develop = Callable[[], Image.Image]
"""Makes the finished picture: work for the processor, which must not hold up the device."""


class Ticket(Order[Drawing]):
    """What one generation is owed.

    The device's thread tells of steps and pictures; on the messenger's one thread, in the same order, the
    client hears of them.
    """

    def __init__(
        self, generation: Generation, inputs: Inputs, on_step: OnStep, *, messenger: Executor
    ) -> None:
        super().__init__(messenger=messenger)
        self.generation = generation
        self.inputs = inputs
        self._on_step = on_step
        self._context = copy_context()
        self._begun_at = time.monotonic()
        self._bucket = 1
        self._evaluations = 0
        self._images: dict[int, Image.Image] = {}
        self._concessions: dict[str, None] = {}

    @property
    def too_large(self) -> str:
        """See `Order.too_large`."""
        return (
            f"{self.generation.count} image(s) of this size do not fit the accelerator's memory; "
            "ask for fewer or smaller ones."
        )

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
                self._fulfil(
                    Drawing(
                        images=images,
                        bucket=self._bucket,
                        seconds=seconds,
                        concessions=tuple(self._concessions),
                    )
                )
