"""A LoRA on the device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import torch

from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.lora_layers import AdaptableLayer
from inference.diffusion.adapters.low_rank_layer import LowRankWeights

LoraWeights = tuple[tuple[str, float], ...]
"""Ids of LoRAs, each with its weight."""

_SERIALS = count(1)


@dataclass(frozen=True, eq=False)
class LayerChanges:
    """The changes by a LoRA of the layers that are activated together.

    Attributes:
        low_rank: the layers with plain LoRA weights.
        deltas: the changes of every other type.
        serial: of the loading; the same LoRA, loaded again, has another one, and tensors of its own.
    """

    low_rank: Mapping[AdaptableLayer, LowRankWeights]
    deltas: Mapping[AdaptableLayer, Delta]
    serial: int = field(default_factory=lambda: next(_SERIALS))

    def __bool__(self) -> bool:
        return bool(self.low_rank or self.deltas)

    @property
    def rank(self) -> int:
        """The largest rank of the plain LoRA weights; 0 without any."""
        return max((each.rank for each in self.low_rank.values()), default=0)

    @property
    def size_bytes(self) -> int:
        """Of the weights."""
        low_rank = sum(each.down.nbytes + each.up.nbytes for each in self.low_rank.values())
        return low_rank + sum(delta.size_bytes for delta in self.deltas.values())


@dataclass(frozen=True, eq=False)
class LoadedLora:
    """A LoRA on the device, which stays loaded as long as this object is referenced.

    Attributes:
        id: depends on the name and the content.
        unet: the changes of the UNet.
        text_encoders: the changes of the text encoders.
        embeddings: textual inversions in the file: name in prompts to the tensors of text encoders.
    """

    id: str
    unet: LayerChanges
    text_encoders: LayerChanges
    embeddings: Mapping[str, Mapping[str, torch.Tensor]]

    @property
    def size_bytes(self) -> int:
        """Of its weights."""
        return self.unet.size_bytes + self.text_encoders.size_bytes
