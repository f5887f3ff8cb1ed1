"""Schedulers: a fresh one for every image."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import diffusers
import torch

from inference.contract.samplers import find_sampler

_KEPT = 64


@dataclass(frozen=True)
class Schedule:
    """A scheduler that nobody else uses, and the timesteps that it is to go through, on the CPU."""

    scheduler: Any
    timesteps: torch.Tensor


class Schedules:
    """Schedulers for a model.

    Some take a tenth of a second to make, so they are made once for each sampler and number of steps, and
    copied.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the configuration of the model's own scheduler."""
        self._settings = settings
        self._prepared = lru_cache(maxsize=_KEPT)(self._prepare)

    def fresh(self, sampler: str, *, steps: int, strength: float | None) -> Schedule:
        """A schedule that begins where `strength` lets it; None begins at the beginning."""
        scheduler = deepcopy(self._prepared(sampler, steps))
        skipped = 0 if strength is None else steps - int(steps * strength)
        begin = skipped * scheduler.order
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        return Schedule(scheduler, scheduler.timesteps[begin:])

    def _prepare(self, name: str, steps: int) -> Any:
        sampler = find_sampler(name)
        scheduler = getattr(diffusers, sampler.scheduler).from_config(self._settings, **sampler.options)
        scheduler.set_timesteps(steps)
        return scheduler
