"""Progress of a job over all of its passes, in denoiser evaluations per image."""

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.engine.interface import OnStep


class StepCounter:
    """Combines the progress of the passes and reports it to one `OnStep`."""

    def __init__(self, generation: Generation, on_step: OnStep) -> None:
        self._count = generation.count
        self._on_step = on_step
        self._first_pass_total = 0
        self._hires_total = _hires_evaluations(generation)
        self._hires_done: dict[int, int] = {}

    def on_first_pass_step(self, done: int, total: int) -> None:
        """Progress of the first pass, which generates all images together; see `OnStep`."""
        self._first_pass_total = total
        self._on_step(done, total + self._hires_total)

    def on_hires_step(self, index: int, done: int, total: int) -> None:
        """Progress of the hires pass over image `index`; reports the mean of all images."""
        self._hires_done[index] = done
        mean, rest = divmod(sum(self._hires_done.values()), self._count)
        if not rest:
            self._on_step(self._first_pass_total + mean, self._first_pass_total + total)


def _hires_evaluations(generation: Generation) -> int:
    hires = generation.hires
    if hires is None:
        return 0
    steps = hires.steps or generation.steps
    skipped = steps - int(steps * hires.strength)
    return find_sampler(generation.sampler).evaluations(steps, skipped=skipped)
