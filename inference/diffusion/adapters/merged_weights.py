"""Replacement of layers' weights by changed ones, and back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch
from torch import nn

from inference.diffusion.adapters.lora_deltas import Delta

WeightedDeltas = Sequence[tuple[Delta, float]]
"""Changes of one layer, each with the weight of its LoRA."""

_NAMES = ("weight", "bias")
_SERIALS = count(1)


@dataclass(frozen=True, eq=False)
class MergedWeights:
    """Changed parameters of layers, which take as much memory again as the original ones.

    Attributes:
        parameters: by name, for each layer; a layer that has no bias can get one.
        serial: of the computation; equal changes, computed again, have another one.
    """

    parameters: Mapping[Any, Mapping[str, nn.Parameter]]
    serial: int = field(default_factory=lambda: next(_SERIALS))

    @classmethod
    def of(cls, deltas: Mapping[Any, WeightedDeltas]) -> "MergedWeights":
        """The changed parameters of layers that have their original ones."""
        parameters = {}
        for layer, of_layer in deltas.items():
            merged = zip(_NAMES, merge(layer, of_layer), strict=True)
            parameters[layer] = {
                name: nn.Parameter(values, requires_grad=False)
                for name, values in merged
                if values is not None
            }
        return cls(parameters)

    @property
    def size_bytes(self) -> int:
        """Of the parameters."""
        return sum(each.nbytes for of_layer in self.parameters.values() for each in of_layer.values())


class ReplaceableWeights:
    """Layers whose parameters are replaced; the original ones are kept, and put back as they were."""

    def __init__(self) -> None:
        self._originals: dict[Any, Mapping[str, nn.Parameter | None]] = {}

    def replace(self, merged: MergedWeights) -> None:
        """Changes the parameters of exactly these layers; all others have their original ones afterwards."""
        changed = merged.parameters
        self._restore(
            layer
            for layer, originals in self._originals.items()
            if layer not in changed or originals.keys() - changed[layer].keys()
        )
        for layer, parameters in changed.items():
            originals = self._originals.get(layer, {})
            added = {name: getattr(layer, name) for name in parameters.keys() - originals.keys()}
            self._originals[layer] = {**originals, **added}
            _set(layer, parameters)

    def restore(self) -> None:
        """Puts the original parameters back."""
        self._restore(self._originals)

    def _restore(self, layers: Iterable[Any]) -> None:
        for layer in list(layers):
            _set(layer, self._originals.pop(layer))


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


def _set(layer: Any, parameters: Mapping[str, nn.Parameter | None]) -> None:
    device = layer.weight.device
    for name, parameter in parameters.items():
        if parameter is not None and parameter.device != device:  # offloading moved the layer meanwhile
            parameter.data = parameter.data.to(device)
        setattr(layer, name, parameter)
