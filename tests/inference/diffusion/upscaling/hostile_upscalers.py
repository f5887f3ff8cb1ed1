"""Upscaler files of a few kilobytes that describe networks which would fill the memory."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from inference.engine.interface import AdapterFile
from tests.inference import tiny_upscalers


def with_many_blocks(directory: Path) -> AdapterFile:
    """The weights of one block have the number 1,000,000, as if there were others before it."""
    weights = {name: value.contiguous() for name, value in tiny_upscalers.network().state_dict().items()}
    last = {name.replace("sub.0.", "sub.1000000."): value for name, value in weights.items()}
    path = directory / "many.safetensors"
    save_file({name: value.clone() for name, value in (weights | last).items()}, path)
    return AdapterFile("many", path, version="1")


def with_a_wide_layer(directory: Path) -> AdapterFile:
    """The first layer has 8,192 channels and 0.9 MB; a network of that width has gigabytes."""
    weights = tiny_upscalers.network().state_dict()
    weights["model.0.weight"] = torch.zeros(8_192, 3, 3, 3)
    path = directory / "wide.safetensors"
    save_file({name: value.clone() for name, value in weights.items()}, path)
    return AdapterFile("wide", path, version="1")


def without_data(directory: Path) -> AdapterFile:
    """A network of 8,192 channels whose tensors have no data."""
    wide = {
        name: torch.zeros(1).expand([8_192 if length == 8 else length for length in value.shape])
        for name, value in tiny_upscalers.network().state_dict().items()
    }
    path = directory / "wide.pth"
    torch.save(wide, path)
    return AdapterFile("wide", path, version="1")
