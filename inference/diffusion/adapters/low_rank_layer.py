"""A layer with low-rank changes beside its own weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class LowRankWeights:
    """The low-rank weights of a LoRA for one layer.

    Attributes:
        down: (rank, inputs), for a convolution (rank, inputs, height, width).
        up: (outputs, rank), for a convolution (outputs, rank, 1, 1).
        alpha: the scaling factor times the rank.
    """

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    def term(self, weight: float) -> "LowRankTerm":
        """The term with this weight of the LoRA."""
        return LowRankTerm(self.down, self.up, weight * self.alpha / len(self.down))


class LowRankTerm(NamedTuple):
    """The product that a LoRA adds to a layer's output.

    Attributes:
        down: see `LowRankWeights`.
        up: see `LowRankWeights`.
        scale: of the product.
    """

    down: torch.Tensor
    up: torch.Tensor
    scale: float


class LowRankLayer(nn.Module):
    """A linear layer or convolution, and the terms that are added to its output.

    The operations and their order are those of peft's layers, so the bits are the same; peft's take twice as
    long on the host. The terms are no parameters: they stay where they are when the model is moved.

    Attributes:
        base_layer: the layer, unchanged.
        terms: in the order of addition.
    """

    terms: Sequence[LowRankTerm]

    def __init__(self, base_layer: Any) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.terms = ()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The layer's output plus the terms."""
        output: torch.Tensor = self.base_layer(inputs)
        for down, up, scale in self.terms:
            output = output + self._product(inputs, down, up) * scale
        return output

    def _product(self, inputs: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        layer = self.base_layer
        if isinstance(layer, nn.Conv2d):
            hidden = functional.conv2d(inputs, down, stride=layer.stride, padding=layer.padding)
            return functional.conv2d(hidden, up, groups=layer.groups)
        return functional.linear(functional.linear(inputs, down), up)
