"""The figures of one sampler and number of images."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.steps.loop import StepLoop, TimedUNet
from bench.steps.operations import OperationCounter, Operations


@dataclass(frozen=True)
class StepTime:
    """Time of one step.

    Attributes:
        seconds: of the whole step.
        unet_seconds: of the UNet.
    """

    seconds: float
    unet_seconds: float = 0.0

    @property
    def share_besides_unet(self) -> float:
        """The share of the time that is not the UNet's."""
        return 1 - self.unet_seconds / self.seconds


def count_operations(loop: StepLoop, samplers: Sequence[str], *, steps: int, size: int) -> list[Operations]:
    """The operations of each step of a batch on `meta`, besides those of the UNet; see `StepLoop.run`."""
    counted = []

    def count(step: Callable[[], None]) -> None:
        with OperationCounter("meta") as counter:
            step()
        counted.append(counter.operations)

    loop.run(samplers, steps=steps, size=size, around_step=count)
    return counted


def time_steps(
    loop: StepLoop, samplers: Sequence[str], *, steps: int, size: int, unet: TimedUNet | None = None
) -> list[StepTime]:
    """The time of each step of a batch.

    Args:
        loop: see `StepLoop.run`, as for the other arguments.
        samplers: one for each image.
        steps: of each image.
        size: in pixels.
        unet: of the loop, if it has a real one.
    """
    measured = []

    def measure(step: Callable[[], None]) -> None:
        unet_before = 0.0 if unet is None else unet.seconds
        started_at = time.perf_counter()
        step()
        seconds = time.perf_counter() - started_at
        measured.append(StepTime(seconds, 0.0 if unet is None else unet.seconds - unet_before))

    loop.run(samplers, steps=steps, size=size, around_step=measure)
    return measured
