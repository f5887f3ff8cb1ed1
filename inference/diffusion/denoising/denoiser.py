"""One forward of the UNet for the slots of a bucket."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from inference.diffusion.adapters.controlnets import as_arguments, guide
from inference.diffusion.denoising.batcher import Bucket
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.prompts.conditioning import Conditioning

Denoise = Callable[..., Any]
"""The UNet, or what answers as it does."""

_T = TypeVar("_T")


def predict(unet: Denoise, bucket: Bucket[Slot]) -> list[tuple[torch.Tensor, ...]]:
    """What the UNet says to each slot: its answer to each of the slot's conditions, (1, 4, height, width).

    The rows are the slots with their first condition, then with their second. Padding repeats the last slot.
    It leaves the slots as they are, so that it can be tried again.
    """
    slots = bucket.slots
    padding = bucket.size - len(slots)
    inputs = _pad([slot.model_input() for slot in slots], padding)
    timesteps = _pad([float(slot.timestep) for slot in slots], padding)
    conditions = [
        row
        for of_a_kind in zip(*(slot.conditions for slot in slots), strict=True)
        for row in _pad(list(of_a_kind), padding)
    ]
    kinds = len(slots[0].conditions)
    sample = torch.cat(inputs * kinds)
    if bucket.size > 1:
        sample = sample.contiguous()  # else the neighbours' layouts decide it, and it the last bits
    at = torch.tensor(timesteps * kinds, dtype=torch.float32, device=inputs[0].device)
    told = {
        "encoder_hidden_states": torch.cat([row.embeddings for row in conditions]),
        "added_cond_kwargs": _added(conditions),
    }
    residuals = guide(_pad([slot.controls for slot in slots], padding) * kinds, sample, at, **told)
    answers = unet(sample, at, **told, **as_arguments(residuals), return_dict=False)[0]
    by_kind = answers.split(bucket.size)
    return [tuple(rows[index : index + 1] for rows in by_kind) for index in range(len(slots))]


def _pad(rows: list[_T], padding: int) -> list[_T]:
    return rows + rows[-1:] * padding


def _added(conditions: list[Conditioning]) -> dict[str, torch.Tensor] | None:
    pooled = [row.pooled for row in conditions if row.pooled is not None]
    time_ids = [row.time_ids for row in conditions if row.time_ids is not None]
    return {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)} if pooled else None
