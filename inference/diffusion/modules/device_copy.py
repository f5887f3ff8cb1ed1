"""Copies to the device and back that do not wait for it."""

from collections.abc import Sequence

import torch


def copy_to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on the device; from the CPU to a GPU, the copy is queued in the current stream.

    It is made from pinned memory: one from pageable memory would block until the stream has done everything
    that was queued before.
    """
    if device.type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def start_copy_to_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor on the CPU that has the values when the current stream has done what is queued now."""
    if not tensor.is_cuda:
        return tensor
    on_host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return on_host.copy_(tensor, non_blocking=True)


def to_device(values: Sequence[float], device: torch.device) -> torch.Tensor:
    """The values as float32 on the device, (len(values),); see `copy_to_device`."""
    return copy_to_device(torch.tensor(values, dtype=torch.float32), device)
