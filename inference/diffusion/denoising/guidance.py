"""Classifier-free guidance for all slots of a batch at once."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

from inference.diffusion.denoising.slot import Slot
from inference.diffusion.solvers.executor import execute
from inference.diffusion.solvers.instructions import Instruction, Opcode, Program, Register, kind_of

Predictions = tuple[torch.Tensor, ...]
"""The noise prediction of a slot for each of its conditionings, (1, 4, height, width)."""


def combine_predictions(slots: Sequence[Slot], predictions: Sequence[Predictions]) -> list[torch.Tensor]:
    """The noise prediction of each slot, (1, 4, height, width).

    With classifier-free guidance the first prediction is that of the negative prompt, and those of the
    prompts that AND joins are added with their weights.
    """
    combined = _away_from_negative(predictions, [_scales(slot) for slot in slots])
    if any(slot.guidance_rescale for slot in slots):
        references = _away_from_negative(predictions, [slot.prompt_weights for slot in slots])
        for index, (slot, rows) in enumerate(zip(slots, predictions, strict=True)):
            if slot.guidance_rescale and len(rows) > 1:
                reference = rows[1] if len(rows) == 2 else references[index]
                combined[index] = rescale_noise_cfg(combined[index], reference, slot.guidance_rescale)
    return combined


def _scales(slot: Slot) -> tuple[float, ...]:
    return tuple(weight * max(slot.guidance_scale, 1.0) for weight in slot.prompt_weights)


def _away_from_negative(
    predictions: Sequence[Predictions], scales: Sequence[tuple[float, ...]]
) -> list[torch.Tensor]:
    """The negative predictions, plus the differences of the others from them times their scales."""
    programs = [
        _program(rows[0].dtype, of_slot if len(rows) > 1 else ())
        for rows, of_slot in zip(predictions, scales, strict=True)
    ]
    registers = [dict(enumerate(rows)) for rows in predictions]
    execute([(program, of_slot) for (program, _), of_slot in zip(programs, registers, strict=True)])
    return [of_slot[result] for (_, result), of_slot in zip(programs, registers, strict=True)]


@lru_cache(maxsize=256)
def _program(dtype: torch.dtype, scales: tuple[float, ...]) -> tuple[Program, Register]:
    """The program, for which the predictions are registers 0, 1, ..., and the register of the result."""
    instructions: list[Instruction] = []
    combined, free = 0, len(scales) + 1
    for positive, scale in enumerate(scales, start=1):
        difference, scaled, total = free, free + 1, free + 2
        instructions += [
            Instruction(kind_of(Opcode.SUBTRACT, dtype), (positive, 0), (), difference),
            Instruction(kind_of(Opcode.MULTIPLY_CONSTANT, dtype), (difference,), (scale,), scaled),
            Instruction(kind_of(Opcode.ADD, dtype), (combined, scaled), (), total),
        ]
        combined, free = total, free + 3
    return Program.of(instructions), combined
