"""The memory format of convolutional networks on the device."""

from typing import Any

import torch


def move_to_device(module: Any, device: torch.device) -> None:
    """Moves a network to the device; on CUDA in channels_last, the fastest format for convolutions there."""
    module.to(device)
    if device.type == "cuda":
        module.to(memory_format=torch.channels_last)
