"""One UNet forward pass for the slots of a batch."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from inference.diffusion.adapters.controlnets import run_controlnets, unet_arguments
from inference.diffusion.denoising.batcher import Batch
from inference.diffusion.denoising.slot import Slot
from inference.diffusion.denoising.solver_step import scale_samples
from inference.diffusion.modules.device_copy import to_device
from inference.diffusion.prompts.conditioning import Conditioning

Denoiser = Callable[..., Any]
"""The UNet, or a callable with the same arguments and results."""

_CACHED_BATCHES = 4
"""One for each batch key that takes turns with others."""


@dataclass(frozen=True)
class _BatchConditioning:
    """The UNet's inputs that stay the same while the slots of a batch do.

    Attributes:
        arguments: keyword arguments of the UNet, with a row for each sample.
        mask_channels: for an inpainting UNet, (rows, 5, height, width).
    """

    arguments: dict[str, Any]
    mask_channels: torch.Tensor | None


class NoisePredictor:
    """Runs a UNet on batches, and keeps the stacked conditionings of the last ones."""

    def __init__(self, unet: Denoiser) -> None:
        self._unet = unet
        self._cached: OrderedDict[tuple[object, ...], _BatchConditioning] = OrderedDict()

    def predict(self, batch: Batch[Slot]) -> list[tuple[torch.Tensor, ...]]:
        """The noise predictions of each slot, one for each of its conditionings, (1, 4, height, width).

        The slots go on only with `solver_step.advance`, so a failed forward pass can be repeated.
        """
        slots, owners = batch.slots, batch.owners
        latents = scale_samples(slots)
        conditioning = self._conditioning(slots, owners)
        sample = torch.cat([latents[index] for index in owners])
        if conditioning.mask_channels is not None:
            sample = torch.cat([sample, conditioning.mask_channels], dim=1)
        # the inputs' memory formats decide the last bits, which must not depend on other slots; and one
        # format for all tensors of a step lets CUDA compute them together
        in_one_format = batch.rows > slots[0].rows or sample.is_cuda
        sample = sample.contiguous() if in_one_format else sample
        timesteps = to_device([slots[index].timestep for index in owners], sample.device)
        controlnet_inputs = [slots[index].controlnet_inputs for index in owners]
        residuals = run_controlnets(controlnet_inputs, sample, timesteps, **conditioning.arguments)
        predicted = self._unet(
            sample, timesteps, **conditioning.arguments, **unet_arguments(residuals), return_dict=False
        )[0]
        rows = (predicted.contiguous() if in_one_format else predicted).split(1)
        return _split(rows, [slot.rows for slot in slots])

    def _conditioning(self, slots: Sequence[Slot], owners: Sequence[int]) -> _BatchConditioning:
        rows = [each for slot in slots for each in slot.conditionings]
        rows += rows[-1:] * (len(owners) - len(rows))
        channels = [slots[index].initial.mask_channels for index in owners]
        key = (*rows, *(slot.initial for slot in slots if slot.initial.mask_channels is not None))
        if key in self._cached:
            self._cached.move_to_end(key)
        else:
            given = [each for each in channels if each is not None]
            self._cached[key] = _BatchConditioning(
                {
                    "encoder_hidden_states": torch.cat([each.embeddings for each in rows]),
                    "added_cond_kwargs": _added_conditions(rows),
                },
                torch.cat(given) if given else None,
            )
            if len(self._cached) > _CACHED_BATCHES:
                self._cached.popitem(last=False)
        return self._cached[key]


def _split(rows: Sequence[torch.Tensor], counts: Sequence[int]) -> list[tuple[torch.Tensor, ...]]:
    ends = [sum(counts[: index + 1]) for index in range(len(counts))]
    return [tuple(rows[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def _added_conditions(conditionings: Sequence[Conditioning]) -> dict[str, torch.Tensor] | None:
    pooled = [each.pooled for each in conditionings if each.pooled is not None]
    time_ids = [each.time_ids for each in conditionings if each.time_ids is not None]
    return {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)} if pooled else None
