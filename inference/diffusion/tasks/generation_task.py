"""A generation on the engine thread: its progress, and the images collected so far."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context

from PIL import Image

from contract.generation import Generation
from inference.diffusion.tasks.task import EngineTask
from inference.engine.interface import Callbacks, GenerationOutput, Inputs

_REPORT_INTERVAL_S = 1.0
"""Progress is stored no more often; further reports would only take the interpreter from this thread."""

Postprocess = Callable[[], Image.Image]
"""Converts decoded pixels to an image: CPU work, which must not block the engine thread."""


class GenerationTask(EngineTask[GenerationOutput]):
    """One generation.

    The engine thread reports steps, previews and images; the callback executor calls the callbacks and
    collects the images, in the same order.
    """

    def __init__(
        self,
        generation: Generation,
        inputs: Inputs,
        callbacks: Callbacks,
        *,
        callback_executor: Executor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes, besides the executor of `EngineTask`, a monotonic clock in seconds."""
        super().__init__(callback_executor=callback_executor)
        self._clock = clock
        self.generation = generation
        self.inputs = inputs
        self._callbacks = callbacks
        self._context = copy_context()
        self._started_at = clock()
        self._batch_size = 1
        self._evaluations = 0
        self._report_due_at = 0.0
        self._images: dict[int, Image.Image] = {}
        self._fallbacks: dict[str, None] = {}
        self._unused: frozenset[str] = frozenset()

    @property
    def out_of_memory_detail(self) -> str:
        """See `EngineTask.out_of_memory_detail`."""
        return (
            f"{self.generation.count} image(s) of this size do not fit in GPU memory; "
            "request fewer or smaller images."
        )

    def start(self) -> None:
        """Starts the clock of `GenerationOutput.seconds`."""
        self._started_at = self._clock()

    def report_step(self, total_evaluations: int, *, batch_size: int) -> None:
        """Counts one denoiser evaluation of one of the images.

        Queues a callback for the first and the last evaluation, and in between at most one a second.

        Args:
            total_evaluations: evaluations that each image takes.
            batch_size: samples in the forward pass, padding included.
        """
        self._batch_size = max(self._batch_size, batch_size)
        self._evaluations += 1
        done, rest = divmod(self._evaluations, self.generation.count)
        if rest:
            return
        now = self._clock()
        if done in (1, total_evaluations) or now >= self._report_due_at:
            self._report_due_at = now + _REPORT_INTERVAL_S
            self._callback_executor.submit(self._call_on_step, done, total_evaluations)

    def claim_preview(self) -> bool:
        """Whether a preview of the first image is to be made now; see `Previews.claim`."""
        previews = self._callbacks.previews
        return previews is not None and previews.claim()

    def report_preview(self, postprocess: Postprocess, step: int) -> None:
        """Queues the postprocessing of a preview, taken after this many evaluations of the first image."""
        self._callback_executor.submit(self._call_on_preview, postprocess, step)

    def record_fallback(self, description: str) -> None:
        """Adds to `GenerationOutput.fallbacks`, once for each description."""
        self._fallbacks[description] = None

    def record_unused(self, fields: frozenset[str]) -> None:
        """Sets `GenerationOutput.unused`."""
        self._unused = fields

    def complete_image(self, index: int, postprocess: Postprocess) -> None:
        """Queues the postprocessing of image `index`; the last one resolves the future."""
        self._callback_executor.submit(self._collect, index, postprocess)

    def _call_on_step(self, done: int, total_evaluations: int) -> None:
        if self.done:
            return
        with self:
            self._context.run(self._callbacks.on_step, done, total_evaluations)

    def _call_on_preview(self, postprocess: Postprocess, step: int) -> None:
        previews = self._callbacks.previews
        if self.done or previews is None:
            return
        with self:
            self._context.run(previews.on_preview, postprocess(), step)

    def _collect(self, index: int, postprocess: Postprocess) -> None:
        with self:
            self._images[index] = postprocess()
            if len(self._images) == self.generation.count:
                self._succeed(
                    GenerationOutput(
                        images=tuple(self._images[index] for index in range(self.generation.count)),
                        batch_size=self._batch_size,
                        seconds=self._clock() - self._started_at,
                        fallbacks=tuple(self._fallbacks),
                        unused=self._unused,
                    )
                )
