"""Progress of a job over all of its passes, in denoiser evaluations per image."""

from dataclasses import replace
from functools import partial

from PIL import Image

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.engine.interface import Callbacks, Previews


class StepCounter:
    """Combines the progress of the passes and reports it to one set of callbacks."""

    def __init__(self, generation: Generation, callbacks: Callbacks) -> None:
        self._count = generation.count
        self._callbacks = callbacks
        self._first_pass_total = 0
        self._hires_total = _hires_evaluations(generation)
        self._hires_done: dict[int, int] = {}

    def first_pass(self) -> Callbacks:
        """The callbacks of the first pass, which generates all images together."""
        return replace(self._callbacks, on_step=self._on_first_pass_step)

    def hires_pass(self, index: int) -> Callbacks:
        """The callbacks of the hires pass over image `index`; only that of the first image has previews."""
        previews = self._callbacks.previews
        if previews is not None:
            previews = _LaterPreviews(previews, self._first_pass_total) if index == 0 else None
        return replace(self._callbacks, on_step=partial(self._on_hires_step, index), previews=previews)

    def _on_first_pass_step(self, done: int, total: int) -> None:
        self._first_pass_total = total
        self._callbacks.on_step(done, total + self._hires_total)

    def _on_hires_step(self, index: int, done: int, total: int) -> None:
        """Reports the mean of all images, rounded down, when it has grown."""
        before = self._hires_mean
        self._hires_done[index] = done
        if self._hires_mean > before:
            self._callbacks.on_step(self._first_pass_total + self._hires_mean, self._first_pass_total + total)

    @property
    def _hires_mean(self) -> int:
        return sum(self._hires_done.values()) // self._count


class _LaterPreviews:
    """The previews of a pass that follows others."""

    def __init__(self, previews: Previews, done_before: int) -> None:
        self._previews = previews
        self._done_before = done_before

    def claim(self) -> bool:
        return self._previews.claim()

    def on_preview(self, image: Image.Image, step: int) -> None:
        self._previews.on_preview(image, self._done_before + step)


def _hires_evaluations(generation: Generation) -> int:
    hires = generation.hires
    if hires is None:
        return 0
    steps = hires.steps or generation.steps
    skipped = steps - int(steps * hires.strength)
    return find_sampler(generation.sampler).evaluations(steps, skipped=skipped)
