"""What is done where the device's memory does not suffice; all of it is slower, and some of it shows."""

from collections.abc import Iterable
from typing import Any

import torch


class Offloading:
    """Lets modules leave the device while they are not at work."""

    def __init__(self, modules: Iterable[torch.nn.Module], device: torch.device) -> None:
        """Takes the modules and where they work; they stay there until offloading begins."""
        self._modules = tuple(modules)
        self._device = device
        self._hooks: list[Any] = []

    @property
    def begun(self) -> bool:
        """Whether the modules leave the device."""
        return bool(self._hooks)

    def begin(self) -> None:
        """Lets the modules leave the device now, and from now on when `rest` is called."""
        from accelerate import cpu_offload_with_hook  # most never need it

        self._hooks = [cpu_offload_with_hook(module, self._device)[1] for module in self._modules]
        self.rest()

    def rest(self) -> None:
        """Sends home what has come to the device to work."""
        for hook in self._hooks:
            hook.offload()
