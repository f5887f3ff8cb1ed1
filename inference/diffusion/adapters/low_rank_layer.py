"""A layer with low-rank changes beside its own weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

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

    @property
    def rank(self) -> int:
        """The rank."""
        return self.down.shape[0]

    def term(self, weight: float) -> "LowRankTerm":
        """The term with this weight of the LoRA."""
        return LowRankTerm(self.down, self.up, weight * self.alpha / self.rank)


class Term(Protocol):
    """A summand of a layer's output."""

    def product(self, layer: Any, inputs: torch.Tensor) -> torch.Tensor:
        """The summand for these inputs of the layer."""
        ...


class LowRankTerm(NamedTuple):
    """The product of a LoRA, the same for all rows of the inputs.

    Attributes:
        down: see `LowRankWeights`.
        up: see `LowRankWeights`.
        scale: of the product.
    """

    down: torch.Tensor
    up: torch.Tensor
    scale: float

    def product(self, layer: Any, inputs: torch.Tensor) -> torch.Tensor:
        """See `Term`."""
        return _up(layer, _down(layer, inputs, self.down), self.up) * self.scale


class RowsTerm(NamedTuple):
    """The product of one of several LoRAs for each row of the inputs.

    A row's products and roundings are those of `LowRankTerm`, with zeros among the summands.

    Attributes:
        down: of all LoRAs, joined along the rank; see `LowRankWeights`.
        up: of all LoRAs, joined along the rank; see `LowRankWeights`.
        others: by the number of dimensions of the inputs, each (rows, ..., rank) or, for a convolution,
            (rows, rank, 1, 1); True for the LoRAs that are not the row's.
        scales: by the number of dimensions of the inputs, of each row's product; 0 for rows without a LoRA.
    """

    down: torch.Tensor
    up: torch.Tensor
    others: Mapping[int, torch.Tensor]
    scales: Mapping[int, torch.Tensor]

    def product(self, layer: Any, inputs: torch.Tensor) -> torch.Tensor:
        """See `Term`."""
        hidden = _down(layer, inputs, self.down).masked_fill_(self.others[inputs.ndim], 0)
        return _up(layer, hidden, self.up).mul_(self.scales[inputs.ndim])


class LowRankLayer(nn.Module):
    """A linear layer or convolution, and the terms that are added to its output.

    For `LowRankTerm` the operations and their order are those of peft's layers, so the bits are the same.
    The terms are no parameters: they stay where they are when the model is moved.

    Attributes:
        base_layer: the layer, unchanged.
        terms: in the order of addition.
    """

    terms: Sequence[Term]

    def __init__(self, base_layer: Any) -> None:
        super().__init__()
        self.base_layer = base_layer
        self.terms = ()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The layer's output plus the terms."""
        layer = self.base_layer
        output: torch.Tensor = layer(inputs)
        for term in self.terms:
            output = output + term.product(layer, inputs)
        return output


def _down(layer: Any, inputs: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, nn.Conv2d):
        return functional.conv2d(inputs, down, stride=layer.stride, padding=layer.padding)
    return functional.linear(inputs, down)


def _up(layer: Any, hidden: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, nn.Conv2d):
        return functional.conv2d(hidden, up)
    return functional.linear(hidden, up)
