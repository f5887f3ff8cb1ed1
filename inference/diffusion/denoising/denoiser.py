"""One UNet forward pass for the slots of a batch."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from inference.diffusion.adapters.controlnets import run_controlnets, unet_arguments
from inference.diffusion.denoising.batcher import Batch
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.prompts.conditioning import Conditioning

Denoiser = Callable[..., Any]
"""The UNet, or a callable with the same arguments and results."""

_T = TypeVar("_T")


def predict_noise(unet: Denoiser, batch: Batch[Slot]) -> list[tuple[torch.Tensor, ...]]:
    """The noise predictions of each slot, one for each of its conditionings, (1, 4, height, width).

    The samples are all slots with their first conditioning, then all slots with their second. Padding repeats
    the last slot. The slots are not changed, so a failed forward pass can be repeated.
    """
    slots = batch.slots
    padding = batch.size - len(slots)
    inputs = _pad([slot.model_input() for slot in slots], padding)
    timesteps = _pad([float(slot.timestep) for slot in slots], padding)
    conditionings = [
        each
        for same_kind in zip(*(slot.conditionings for slot in slots), strict=True)
        for each in _pad(list(same_kind), padding)
    ]
    repeats = len(slots[0].conditionings)
    sample = torch.cat(inputs * repeats)
    if batch.size > 1:
        sample = sample.contiguous()  # else the inputs' memory formats decide the result's last bits
    timestep = torch.tensor(timesteps * repeats, dtype=torch.float32, device=inputs[0].device)
    arguments = {
        "encoder_hidden_states": torch.cat([each.embeddings for each in conditionings]),
        "added_cond_kwargs": _added_conditions(conditionings),
    }
    controlnet_inputs = _pad([slot.controlnet_inputs for slot in slots], padding) * repeats
    residuals = run_controlnets(controlnet_inputs, sample, timestep, **arguments)
    predicted = unet(sample, timestep, **arguments, **unet_arguments(residuals), return_dict=False)[0]
    by_conditioning = predicted.split(batch.size)
    return [tuple(rows[index : index + 1] for rows in by_conditioning) for index in range(len(slots))]


def _pad(rows: list[_T], padding: int) -> list[_T]:
    return rows + rows[-1:] * padding


def _added_conditions(conditionings: list[Conditioning]) -> dict[str, torch.Tensor] | None:
    pooled = [each.pooled for each in conditionings if each.pooled is not None]
    time_ids = [each.time_ids for each in conditionings if each.time_ids is not None]
    return {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)} if pooled else None
