"""The stand-in for a VAE that a model's file lacks, until a request names another."""

from functools import partial

import torch
from diffusers import AutoencoderKL

from inference.models.architecture import VAE, Config
from inference.models.components import Component
from inference.models.safetensors_file import Shapes
from inference.models.weights import StateDict

_PARTS = ("encoder", "decoder")
_LEVELS = 4
"""Resolutions of every VAE of Stable Diffusion: latents are eight times smaller than images."""


class AbsentVae(AutoencoderKL):  # type: ignore[misc]
    """The configuration of a VAE, with weights of zero that must not be used.

    Attributes:
        missing: the part that the file lacks: the rest of a sentence that begins with "the model's file has".
    """

    missing: str


def missing_part_of_vae(shapes: Shapes) -> str | None:
    """The part of the VAE that a single file lacks, as in `AbsentVae.missing`; None: it has both halves."""
    lacks = [part for part in _PARTS if not any(name.startswith(f"{VAE}{part}.") for name in shapes)]
    if not lacks:
        return None
    return "no VAE" if len(lacks) == len(_PARTS) else f"half of a VAE, without the {lacks[0]}"


def absent_vae(config: Config, missing: str) -> Component:
    """The stand-in.

    Args:
        config: what VAEs of the family have in common.
        missing: see `AbsentVae`.
    """
    build = partial(_build, config, missing)

    def read(device: torch.device, dtype: torch.dtype) -> StateDict:
        with torch.device("meta"):
            shapes = {name: value.shape for name, value in build().state_dict().items()}
        return {name: torch.zeros(shape, device=device, dtype=dtype) for name, shape in shapes.items()}

    return Component("vae", build, read)


def _build(config: Config, missing: str) -> AbsentVae:
    vae = AbsentVae(
        block_out_channels=(32,) * _LEVELS,
        down_block_types=("DownEncoderBlock2D",) * _LEVELS,
        up_block_types=("UpDecoderBlock2D",) * _LEVELS,
        latent_channels=4,
        **config,
    )
    vae.missing = missing
    return vae
