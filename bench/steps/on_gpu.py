"""The kernels, copies and synchronisations of steps on a GPU, by PyTorch's profiler."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from bench.steps.loop import StepLoop

_COPY = "Memcpy"
_FILL = "Memset"
_PAGEABLE = "Pageable"
_WAITS = frozenset({"cudaStreamSynchronize", "cuStreamSynchronize"})
"""Not cudaEventSynchronize: with it, the loop waits for the end of the step before (see `Pacer`)."""


@dataclass(frozen=True)
class StepProfile:
    """Means of the steps of one batch.

    Attributes:
        kernels: that ran on the GPU.
        copies: between the CPU and the GPU, or on the GPU.
        blocking_copies: of them, those from or to pageable memory.
        synchronisations: waits for all work of a stream.
    """

    kernels: float
    copies: float
    blocking_copies: float
    synchronisations: float

    @classmethod
    def of(cls, events: Iterable[tuple[str, bool]], *, steps: int) -> "StepProfile":
        """Counts profiled events.

        Args:
            events: names, and whether each is of the GPU rather than a call of CUDA on the CPU.
            steps: in which they occurred.
        """
        events = list(events)
        on_gpu = [name for name, is_of_gpu in events if is_of_gpu]
        calls = [name for name, is_of_gpu in events if not is_of_gpu]
        copies = [name for name in on_gpu if name.startswith(_COPY)]
        return cls(
            kernels=sum(not name.startswith((_COPY, _FILL)) for name in on_gpu) / steps,
            copies=len(copies) / steps,
            blocking_copies=sum(_PAGEABLE in name for name in copies) / steps,
            synchronisations=sum(name in _WAITS for name in calls) / steps,
        )


def profile_steps(loop: StepLoop, samplers: Sequence[str], *, steps: int, size: int) -> StepProfile:
    """Profiles the steps of a batch on the current CUDA device; see `StepLoop.run`."""
    loop.run(samplers, steps=steps, size=size, around_step=_run)  # memory is allocated, kernels are loaded
    events: list[Any] = []
    profiled = 0

    def profile(step: Callable[[], None]) -> None:
        nonlocal profiled
        torch.cuda.synchronize()
        activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profiler:
            step()
            torch.cuda.synchronize()
        events.extend(profiler.events())
        profiled += 1

    loop.run(samplers, steps=steps, size=size, around_step=profile)
    cuda = torch.autograd.DeviceType.CUDA  # type: ignore[attr-defined]
    return StepProfile.of(((each.name, each.device_type == cuda) for each in events), steps=profiled)


def _run(step: Callable[[], None]) -> None:
    step()
