"""Replacement of layers' weights by changed ones, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from inference.diffusion.adapters.lora_deltas import Delta

WeightedDeltas = Sequence[tuple[Delta, float]]
"""Changes of one layer, each with the weight of its LoRA."""

_NAMES = ("weight", "bias")


class MergedWeights:
    """Layers whose parameters are replaced; the original parameters are kept, and put back as they were.

    Replaced weights take as much memory again as the original ones.
    """

    def __init__(self) -> None:
        self._originals: dict[Any, Mapping[str, nn.Parameter | None]] = {}

    def replace(self, deltas: Mapping[Any, WeightedDeltas]) -> None:
        """Changes the parameters of exactly these layers; all others have their original ones afterwards."""
        self.restore()
        for layer, of_layer in deltas.items():
            self._originals[layer] = {name: getattr(layer, name) for name in _NAMES if hasattr(layer, name)}
            weight, bias = merge(layer, of_layer)
            layer.weight = nn.Parameter(weight, requires_grad=False)
            if bias is not None:
                layer.bias = nn.Parameter(bias, requires_grad=False)

    def restore(self) -> None:
        """Puts the original parameters back."""
        for layer, originals in self._originals.items():
            for name, parameter in originals.items():
                if parameter is not None:
                    parameter.data = parameter.data.to(layer.weight.device)  # offloading may have moved it
                setattr(layer, name, parameter)
        self._originals = {}


def merge(layer: Any, deltas: WeightedDeltas) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The changed weight and bias of a layer, in its dtype.

    Each change is that of the original weight, so that the order does not matter.
    """
    weight, bias = layer.weight.float(), getattr(layer, "bias", None)
    bias = None if bias is None else bias.float()
    for delta, scale in deltas:
        of_weight, of_bias = delta.of_weight(layer.weight), delta.of_bias(layer.weight)
        if of_weight is not None:
            weight = weight + scale * of_weight
        if of_bias is not None:
            bias = scale * of_bias if bias is None else bias + scale * of_bias
    merged = torch.empty_like(layer.weight).copy_(weight)  # in the original's memory format
    return merged, None if bias is None else bias.to(layer.weight.dtype)
