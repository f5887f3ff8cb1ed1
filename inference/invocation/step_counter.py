"""How far a job is, in evaluations of the denoiser an image, over all of its passes."""

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.engine.interface import OnStep


class StepCounter:
    """Makes one account of what the engine tells of the passes one by one."""

    def __init__(self, generation: Generation, on_step: OnStep) -> None:
        self._count = generation.count
        self._on_step = on_step
        self._first = 0
        self._expected = _evaluations_of_the_second(generation)
        self._done: dict[int, int] = {}

    def first(self, done: int, total: int) -> None:
        """Hears of the first pass, in which all images are drawn together."""
        self._first = total
        self._on_step(done, total + self._expected)

    def second(self, index: int, done: int, total: int) -> None:
        """Hears of the second pass over image `index`."""
        self._done[index] = done
        done, rest = divmod(sum(self._done.values()), self._count)
        if not rest:
            self._on_step(self._first + done, self._first + total)


def _evaluations_of_the_second(generation: Generation) -> int:
    hires = generation.hires
    if hires is None:
        return 0
    steps = hires.steps or generation.steps
    skipped = steps - int(steps * hires.strength)
    return find_sampler(generation.sampler).evaluations(steps, skipped=skipped)
