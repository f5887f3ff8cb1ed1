"""Noise schedules, and the traced steps of their schedulers."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import diffusers
import numpy as np
import torch

from contract.samplers import ALL_SAMPLERS, Sampler, find_sampler
from contract.schedule_types import NORMAL, SGM_UNIFORM
from inference.diffusion.modules import stochastic_schedulers
from inference.diffusion.solvers.traced_steps import TracedStep, trace_steps

_CACHED_SCHEDULES = 64
_DIVIDE_BY_SIGNAL = frozenset({"DDPMScheduler", "DDIMScheduler", "LCMScheduler", "TCDScheduler"})
"""Those that divide a predicted noise by the signal's amplitude, zero at the first timestep."""


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The denoiser evaluations of images with the same sampler, steps and strength, which share this object.

    Attributes:
        scheduler: a diffusers scheduler in its initial state.
        timesteps: (evaluations,), descending, on the CPU.
        begin: the number of the scheduler's evaluations that are left out before these.
        end: the timestep after the last evaluation, (1,), or (0,) if that yields the image.
        dtype: of the latents.
        device_type: of the latents.
    """

    scheduler: Any
    timesteps: torch.Tensor
    begin: int
    end: torch.Tensor
    dtype: torch.dtype
    device_type: str

    @cached_property
    def steps(self) -> tuple[TracedStep, ...]:
        """The arithmetic of each evaluation; traced at the first use, which takes milliseconds."""
        return self._trace(preserves=False)

    @cached_property
    def preserving_steps(self) -> tuple[TracedStep, ...]:
        """The same for inpainting, with the image outside the mask restored after each step."""
        return self._trace(preserves=True)

    def are_within(self, start: float, end: float) -> tuple[bool, ...]:
        """Whether each evaluation lies between these shares of all evaluations of the scheduler."""
        total = len(self.scheduler.timesteps)
        numbers = range(self.begin, self.begin + len(self.timesteps))
        return tuple(start <= number / total and (number + 1) / total <= end for number in numbers)

    def _trace(self, *, preserves: bool) -> tuple[TracedStep, ...]:
        return trace_steps(
            self.scheduler,
            self.timesteps,
            end=self.end,
            dtype=self.dtype,
            device_type=self.device_type,
            preserves=preserves,
        )


class NoiseSchedulers:
    """Creates and caches the noise schedules of one model."""

    def __init__(
        self, config: Mapping[str, Any], *, dtype: torch.dtype = torch.float32, device_type: str = "cpu"
    ) -> None:
        """Takes the configuration of the model's own scheduler, and what its UNet computes with."""
        self._config = config
        self._dtype = dtype
        self._device_type = device_type
        self._cached = lru_cache(maxsize=_CACHED_SCHEDULES)(self._construct)
        self._cached_schedule = lru_cache(maxsize=_CACHED_SCHEDULES)(self._create)
        self._cached_refining_schedule = lru_cache(maxsize=_CACHED_SCHEDULES)(self._create_refining)

    def create(
        self,
        sampler: str,
        *,
        steps: int,
        strength: float | None,
        until: float | None = None,
        spacing: str | None = None,
    ) -> NoiseSchedule:
        """A schedule for the base model.

        Args:
            sampler: canonical name.
            steps: of the whole schedule.
            strength: image-to-image strength, 0 to 1, the share of the steps to run; None runs all.
            until: the share of the training timesteps after which the refiner takes over; None runs all.
            spacing: of the timesteps; None: the model's.
        """
        return self._cached_schedule(sampler, steps, strength, until, spacing)

    def create_refining(
        self, sampler: str, *, steps: int, start: float, spacing: str | None = None
    ) -> NoiseSchedule:
        """The refiner's schedule, which begins after this share of the training timesteps."""
        return self._cached_refining_schedule(sampler, steps, start, spacing)

    def _create(
        self, sampler: str, steps: int, strength: float | None, until: float | None, spacing: str | None
    ) -> NoiseSchedule:
        scheduler = deepcopy(self._cached(sampler, steps, spacing))
        skipped = 0 if strength is None else steps - int(steps * strength)
        begin = skipped * scheduler.order
        end = len(scheduler.timesteps)
        if until is not None:
            end = begin + int((scheduler.timesteps[begin:] >= _cutoff(scheduler, until)).sum())
        return self._slice(scheduler, begin, end)

    def _create_refining(self, sampler: str, steps: int, start: float, spacing: str | None) -> NoiseSchedule:
        scheduler = deepcopy(self._cached(sampler, steps, spacing))
        remaining = int((scheduler.timesteps < _cutoff(scheduler, start)).sum())
        if scheduler.order == 2 and remaining % 2 == 0:
            remaining += 1  # as diffusers does, so as not to begin at the second half of a step
        end = len(scheduler.timesteps)
        return self._slice(scheduler, end - remaining, end)

    def _slice(self, scheduler: Any, begin: int, end: int) -> NoiseSchedule:
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        timesteps = scheduler.timesteps
        return NoiseSchedule(
            scheduler,
            timesteps[begin:end],
            begin=begin,
            end=timesteps[end : end + 1],
            dtype=self._dtype,
            device_type=self._device_type,
        )

    def check(self, sampler: str) -> None:
        """Checks that a sampler is right for the model.

        Raises:
            ValueError: the model's schedule begins without any signal, which the sampler ignores or divides
                by.
        """
        if not self._config.get("rescale_betas_zero_snr"):
            return
        excluded = _DIVIDE_BY_SIGNAL if self._config.get("prediction_type", "epsilon") == "epsilon" else ()
        able = [
            each for each in ALL_SAMPLERS if each.has_zero_terminal_snr and each.scheduler not in excluded
        ]
        if find_sampler(sampler) not in able:
            names = ", ".join(each.name for each in able if each.schedule_type is None)
            raise ValueError(
                f"the sampler {sampler} does not support this model, whose noise schedule has zero terminal "
                f"SNR; use one of {names}"
            )

    def _construct(self, name: str, steps: int, spacing: str | None) -> Any:
        sampler = find_sampler(name)
        options: dict[str, Any] = {} if spacing is None else {"timestep_spacing": spacing}
        if self._config.get("thresholding"):
            options["thresholding"] = False  # latents are not pixels
        options |= sampler.options
        if steps == 1:
            options["timestep_spacing"] = "trailing"  # the others would begin at the last timestep
        scheduler = _scheduler_class(sampler).from_config(self._config, **options)
        timesteps = _timesteps(sampler, steps, scheduler.config.num_train_timesteps)
        if timesteps is None:
            scheduler.set_timesteps(steps)
        else:
            scheduler.set_timesteps(timesteps=timesteps)
        return scheduler


def _scheduler_class(sampler: Sampler) -> Any:
    return getattr(stochastic_schedulers, sampler.scheduler, None) or getattr(diffusers, sampler.scheduler)


def _timesteps(sampler: Sampler, steps: int, training_timesteps: int) -> list[int] | None:
    """The timesteps of schedules that the scheduler has no option for; None lets the scheduler choose."""
    match sampler.schedule_type, sampler.scheduler:
        case NORMAL.name, "DPMSolverMultistepScheduler" | "DPMSolverSinglestepScheduler":
            # their own even spacing ends before the last timestep
            return [int(each) for each in np.linspace(training_timesteps - 1, 0, steps).round()]
        case SGM_UNIFORM.name, "LCMScheduler" | "TCDScheduler":
            # their own timesteps are those of the distillation
            return [round(training_timesteps * (1 - index / steps)) - 1 for index in range(steps)]
        case _:
            return None


def _cutoff(scheduler: Any, share: float) -> int:
    """The timestep after this share of the training timesteps, rounded as diffusers does."""
    timesteps: int = scheduler.config.num_train_timesteps
    return round(timesteps - share * timesteps)
