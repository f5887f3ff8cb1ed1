"""VAEs in one file, under the names of the original code (LDM) or of diffusers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.adapters.component_file import build, count_layers, read_state_dict, without_prefix
from inference.models.architecture import VAE
from inference.models.weights import StateDict

NAMINGS: Mapping[str, str] = {
    "the original code, alone": "encoder.down.",
    "the original code, in a checkpoint": f"{VAE}encoder.down.",
    "diffusers": "encoder.down_blocks.",
}
"""Beginnings of the names of the encoder's layers, by naming."""

_DIFFUSERS = NAMINGS["diffusers"]
_LDM = NAMINGS["the original code, alone"]
_PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
"""Of a VAE; files of trainers have weights of the loss and averages too."""


def read_vae(path: Path, own: Mapping[str, Any], dtype: torch.dtype) -> AutoencoderKL:
    """Reads a VAE to the CPU. Its sizes are those of its tensors.

    Args:
        path: a .safetensors file; any other is read as a PyTorch pickle.
        own: the configuration of the model's own VAE, for what a file of weights does not say.
        dtype: of the weights.

    Raises:
        AdapterFileError: the file is damaged, unsafe or incomplete, or not a VAE of Stable Diffusion.
    """
    tensors = read_state_dict(path)
    tensors = without_prefix(tensors, VAE) or tensors
    if not any(name.startswith(_DIFFUSERS) for name in tensors):
        tensors = _converted(tensors)
    config = {name: value for name, value in own.items() if not name.startswith("_")}
    return build(AutoencoderKL, config | _sizes(tensors), tensors, dtype)


def _converted(tensors: StateDict) -> StateDict:
    count = count_layers(tensors, _LDM)
    if not count:
        raise AdapterFileError(
            f"is not a complete VAE of Stable Diffusion: it has no layer named {_LDM}0 or {_DIFFUSERS}0; use "
            "another, or omit it"
        )
    own = {name: value for name, value in tensors.items() if name.startswith(_PARTS)}
    blocks = range(count)
    try:
        converted: StateDict = convert_ldm_vae_checkpoint(
            own, {"down_block_types": blocks, "up_block_types": blocks}
        )
    except (LookupError, AttributeError) as error:
        raise AdapterFileError("lacks weights of a VAE; upload a complete one") from error
    return {name: value for name, value in converted.items() if isinstance(value, torch.Tensor)}


def _sizes(tensors: StateDict) -> dict[str, Any]:
    count = count_layers(tensors, _DIFFUSERS)
    try:
        return {
            "block_out_channels": tuple(
                tensors[f"{_DIFFUSERS}{i}.resnets.0.conv1.weight"].shape[0] for i in range(count)
            ),
            "layers_per_block": count_layers(tensors, f"{_DIFFUSERS}0.resnets."),
            "down_block_types": ("DownEncoderBlock2D",) * count,
            "up_block_types": ("UpDecoderBlock2D",) * count,
            "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        }
    except KeyError as error:
        raise AdapterFileError(
            f"lacks weights, for example {error.args[0]}; upload a complete VAE"
        ) from error
    except IndexError as error:
        raise AdapterFileError("has weights that are not those of a VAE; use another") from error
