"""How weights lie in memory where they draw fastest."""

from typing import Any

import torch


def settle(module: Any, device: torch.device) -> None:
    """Moves a network of convolutions to the device, in the layout that it draws fastest in there."""
    module.to(device)
    if device.type == "cuda":
        module.to(memory_format=torch.channels_last)
