"""Schedulers: a fresh one for every image."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import diffusers
import torch

from contract.samplers import find_sampler

_KEPT = 64


@dataclass(frozen=True)
class Schedule:
    """A scheduler that nobody else uses, and the timesteps that it is to go through, on the CPU.

    Attributes:
        scheduler: of diffusers.
        timesteps: to be evaluated, the noisiest first.
        after: the timestep that would follow, (1,), or (0,) where the last leads to the picture.
    """

    scheduler: Any
    timesteps: torch.Tensor
    after: torch.Tensor

    def following(self, done: int) -> torch.Tensor:
        """The timestep to which `done` evaluations lead, (1,), or (0,) for the picture."""
        return self.timesteps[done : done + 1] if done < len(self.timesteps) else self.after


class Schedules:
    """Schedulers for a model.

    Some take a tenth of a second to make, so they are made once for each sampler and number of steps, and
    copied.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the configuration of the model's own scheduler."""
        self._settings = settings
        self._prepared = lru_cache(maxsize=_KEPT)(self._prepare)

    def fresh(
        self, sampler: str, *, steps: int, strength: float | None, until: float | None = None
    ) -> Schedule:
        """A schedule that begins where `strength` lets it and ends where a refiner takes over.

        Args:
            sampler: by its canonical name.
            steps: in all.
            strength: None begins at the beginning.
            until: the share of the noise levels after which it ends; None goes on to the picture.
        """
        scheduler = deepcopy(self._prepared(sampler, steps))
        skipped = 0 if strength is None else steps - int(steps * strength)
        begin = skipped * scheduler.order
        end = len(scheduler.timesteps)
        if until is not None:
            end = begin + int((scheduler.timesteps[begin:] >= _cutoff(scheduler, until)).sum())
        return _schedule(scheduler, begin, end)

    def rest(self, sampler: str, *, steps: int, since: float) -> Schedule:
        """A refiner's schedule: what is left of it after this share of the noise levels."""
        scheduler = deepcopy(self._prepared(sampler, steps))
        left = int((scheduler.timesteps < _cutoff(scheduler, since)).sum())
        if scheduler.order == 2 and left % 2 == 0:
            left += 1  # as diffusers does, so as not to begin between the halves of a step
        end = len(scheduler.timesteps)
        return _schedule(scheduler, end - left, end)

    def _prepare(self, name: str, steps: int) -> Any:
        sampler = find_sampler(name)
        scheduler = getattr(diffusers, sampler.scheduler).from_config(self._settings, **sampler.options)
        scheduler.set_timesteps(steps)
        return scheduler


def _cutoff(scheduler: Any, share: float) -> int:
    """The timestep that lies after this share of the noise levels, as diffusers rounds it."""
    levels: int = scheduler.config.num_train_timesteps
    return round(levels - share * levels)


def _schedule(scheduler: Any, begin: int, end: int) -> Schedule:
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    timesteps = scheduler.timesteps
    return Schedule(scheduler, timesteps[begin:end], after=timesteps[end : end + 1])
