"""Tiny super-resolution models with random weights, and their files."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from inference.diffusion.upscaling.spandrel import load_spandrel
from inference.engine.interface import AdapterFile

RECEPTIVE_RADIUS = {"esrgan": 19, "span": 21}
"""Radius of the receptive field in pixels: the number of consecutive 3x3 convolutions."""


def network(
    architecture: str = "esrgan", *, scale: int = 2, channels: int = 3, seed: int = 5
) -> torch.nn.Module:
    """An ESRGAN of one block, or a SPAN."""
    load_spandrel()
    from spandrel.architectures.ESRGAN import ESRGAN  # type: ignore[import-untyped]
    from spandrel.architectures.SPAN import SPAN  # type: ignore[import-untyped]

    torch.manual_seed(seed)
    if architecture == "span":
        net: torch.nn.Module = SPAN(
            num_in_ch=channels, num_out_ch=channels, feature_channels=8, upscale=scale
        )
    else:
        net = ESRGAN(in_nc=channels, out_nc=channels, num_filters=8, num_blocks=1, scale=scale)
    *_, weight, bias = net.parameters()
    with torch.no_grad():  # otherwise most of the output would be black or white
        weight.mul_(0.2 if architecture == "span" else 8)
        bias.fill_(0.5)
    return net


def save(
    directory: Path, net: torch.nn.Module, name: str = "tiny", suffix: str = "safetensors"
) -> AdapterFile:
    """Saves the network's weights to a .safetensors or .pth file."""
    path = directory / f"{name}.{suffix}"
    weights: dict[str, Any] = {key: value.contiguous() for key, value in net.state_dict().items()}
    if suffix == "safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return AdapterFile(name, path, version="1")
