"""Model offloading: modules leave the GPU between uses, when not everything fits in its memory."""

from collections.abc import Iterable
from typing import Any

import torch


class Offloading:
    """Moves modules to the CPU between uses, once enabled. Slower, and images stay the same."""

    def __init__(self, modules: Iterable[torch.nn.Module], device: torch.device) -> None:
        """Takes the modules and the device that they run on."""
        self._modules = tuple(modules)
        self._device = device
        self._hooks: list[Any] = []

    @property
    def enabled(self) -> bool:
        """Whether the modules leave the device between uses."""
        return bool(self._hooks)

    def enable(self) -> None:
        """Offloads the modules now, and whenever `offload` is called; a forward pass moves them back."""
        from accelerate import cpu_offload_with_hook  # rarely needed

        self._hooks = [cpu_offload_with_hook(module, self._device)[1] for module in self._modules]
        self.offload()

    def offload(self) -> None:
        """Moves the modules to the CPU, if enabled."""
        for hook in self._hooks:
            hook.offload()
