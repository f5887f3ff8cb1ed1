"""The weights that a UNet has at the moment, as packages refer to them."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from inference.diffusion.compilation.specification import TensorLayout

_PLAIN_TYPES = (torch.Tensor, nn.Parameter)


class CurrentWeights:
    """Views of a UNet's parameters and buffers, which follow them when adapters replace them.

    The views are the same objects all the time, and get the storage of the present parameters: packages keep
    references to what they are given, and would keep parameters in memory that nothing else uses any more.
    """

    def __init__(self, unet: nn.Module, state: Callable[[], Hashable]) -> None:
        """Starts with the present parameters.

        Args:
            unet: without active adapters.
            state: equal values mean the same tensors at the same addresses, and the same layers.
        """
        self._unet = unet
        self._get_state = state
        self._state: Hashable = state()
        self._plain = all(type(tensor) in _PLAIN_TYPES for _, tensor in _tensors(unet))
        self._views = {name: tensor.detach() for name, tensor in _tensors(unet)} if self._plain else {}
        self._version = 0
        self.layouts: Mapping[str, TensorLayout] = {
            name: TensorLayout.of(view) for name, view in self._views.items()
        }

    @property
    def views(self) -> Mapping[str, torch.Tensor]:
        """The views by name."""
        return self._views

    @property
    def version(self) -> int:
        """Changes when views get another storage: packages must then be bound to them again."""
        return self._version

    def update(self) -> bool:
        """Follows a change of the UNet; returns whether its layers and layouts are those at the start."""
        state = self._get_state()
        if state != self._state:
            self._plain = self._follow()
            self._state = state
        return self._plain

    def _follow(self) -> bool:
        tensors = dict(_tensors(self._unet))
        if {name: TensorLayout.of(tensor) for name, tensor in tensors.items()} != self.layouts:
            return False
        for name, tensor in tensors.items():
            view = self._views[name]
            if view.data_ptr() != tensor.data_ptr():
                view.data = tensor.detach()
                self._version += 1
        return True


def _tensors(unet: Any) -> Iterator[tuple[str, torch.Tensor]]:
    yield from unet.named_parameters()
    yield from unet.named_buffers()
