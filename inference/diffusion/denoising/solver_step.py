"""Scheduler steps of all slots of a batch at once."""

from collections.abc import Sequence

import torch

from inference.diffusion.denoising.slot import Slot
from inference.diffusion.modules.device_copy import copy_to_device
from inference.diffusion.solvers.executor import execute


def scale_samples(slots: Sequence[Slot]) -> list[torch.Tensor]:
    """The latents as the UNet expects them at each slot's timestep, (1, 4, height, width)."""
    execute([(slot.traced_step.scaling, slot.registers) for slot in slots])
    return [slot.registers[slot.traced_step.sample] for slot in slots]


def advance(slots: Sequence[Slot], predictions: Sequence[torch.Tensor]) -> None:
    """Takes one scheduler step of each slot.

    Args:
        slots: after `scale_samples`.
        predictions: of each slot, (1, 4, height, width).
    """
    for slot, prediction in zip(slots, predictions, strict=True):
        slot.registers[slot.traced_step.prediction] = prediction
    _generate_noise(slots)
    execute([(slot.traced_step.update, slot.registers) for slot in slots])
    for slot in slots:
        slot.complete_step()


def _generate_noise(slots: Sequence[Slot]) -> None:
    """Sets the noise registers of the step, from each slot's own generator.

    The numbers are generated on the CPU, while the GPU computes the predictions, and copied together
    without waiting for it.
    """
    by_dtype: dict[torch.dtype, list[tuple[Slot, int]]] = {}
    for slot in slots:
        for register, dtype in slot.traced_step.noise:
            by_dtype.setdefault(dtype, []).append((slot, register))
    for dtype, needed in by_dtype.items():
        latents = needed[0][0].latents
        shape = (len(needed), *latents.shape[1:])
        noise = torch.empty(shape, dtype=dtype)
        for row, (slot, _) in zip(noise.split(1), needed, strict=True):
            torch.randn(row.shape, generator=slot.generator, dtype=dtype, out=row)
        rows = copy_to_device(noise, latents.device).split(1)
        for row, (slot, register) in zip(rows, needed, strict=True):
            slot.registers[register] = row
