"""ControlNets in one file, under the names of the original code (LDM) or of diffusers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from diffusers.loaders.single_file_utils import (
    DIFFUSERS_TO_LDM_MAPPING,
    LDM_CONTROLNET_KEY,
    convert_controlnet_checkpoint,
)

from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.adapters.component_file import build, count_layers, read_state_dict, without_prefix
from inference.engine.interface import AdapterFile
from inference.models.weights import StateDict

NAMINGS: Mapping[str, str] = {
    "the original code, alone": "input_hint_block.",
    "the original code, in a checkpoint": f"{LDM_CONTROLNET_KEY}input_hint_block.",
    "diffusers": "controlnet_cond_embedding.",
}
"""Beginning of the names of the layers for the conditioning image, by naming."""

UNSUPPORTED: Mapping[str, str] = {
    "lora_controlnet": "a LoRA-ControlNet (Control-LoRA)",
    "difference": "a difference to its base model",
    "task_embedding": "a union of several ControlNets",
    "lllite_": "a ControlLLLite",
    "adapter.body.": "a T2I-Adapter",
    "body.": "a T2I-Adapter",
    "image_proj.": "an IP-Adapter",
}
"""Networks that are distributed as ControlNets, by how a tensor's name begins."""

_EMBEDDING = NAMINGS["diffusers"]
_LDM = NAMINGS["the original code, alone"]
_LAYERS = DIFFUSERS_TO_LDM_MAPPING["controlnet"]
_RECOGNIZED = "time_embed.0.weight"
"""By which diffusers recognizes the naming."""

_SHUFFLE = "shuffle"
"""In the names of ControlNets with `global_pool_conditions`, which files of weights do not say."""

_CONFIG_OF_UNET = (
    *("flip_sin_to_cos", "freq_shift", "only_cross_attention", "block_out_channels", "layers_per_block"),
    *("downsample_padding", "mid_block_scale_factor", "act_fn", "norm_num_groups", "norm_eps"),
    *("cross_attention_dim", "encoder_hid_dim", "encoder_hid_dim_type", "attention_head_dim"),
    *("num_attention_heads", "use_linear_projection", "class_embed_type", "addition_embed_type"),
    *("addition_time_embed_dim", "num_class_embeds", "upcast_attention", "resnet_time_scale_shift"),
    "projection_class_embeddings_input_dim",
)
"""The settings that a ControlNet shares with the UNet of its model."""


def read_controlnet_tensors(path: Path) -> StateDict:
    """The tensors of a ControlNet by their names in diffusers.

    Args:
        path: a .safetensors file; any other is read as a PyTorch pickle.

    Raises:
        AdapterFileError: the file is damaged or unsafe, or not a ControlNet.
    """
    tensors = read_state_dict(path)
    for beginning, name in UNSUPPORTED.items():
        if any(each.startswith(beginning) for each in tensors):
            raise AdapterFileError(f"is {name}, which is not supported; use a complete ControlNet")
    if any(name.startswith(_EMBEDDING) for name in tensors):
        return tensors
    return _converted(without_prefix(tensors, LDM_CONTROLNET_KEY) or tensors)


def _converted(own: StateDict) -> StateDict:
    if not any(name.startswith(_LDM) for name in own):
        raise AdapterFileError(
            f"is not a ControlNet: it has no layer whose name begins with {_LDM} or {_EMBEDDING}; use another"
        )
    if _RECOGNIZED not in own:
        raise AdapterFileError(f"lacks weights, for example {_RECOGNIZED}; upload a complete one")
    blocks = range(1, count_layers(own, "input_blocks."))
    layers_per_block = next((i - 1 for i in blocks if f"input_blocks.{i}.0.op.weight" in own), len(blocks))
    try:
        tensors = convert_controlnet_checkpoint(own, {"layers_per_block": layers_per_block})
    except (LookupError, AttributeError) as error:
        raise AdapterFileError("lacks weights of a ControlNet; upload a complete one") from error
    # which diffusers leaves out: SDXL's size conditioning
    tensors |= {name: own.get(old) for name, old in _LAYERS["addition_embed_type"].items()}
    return {name: value for name, value in tensors.items() if isinstance(value, torch.Tensor)}


def read_controlnet(file: AdapterFile, unet: Mapping[str, Any], dtype: torch.dtype) -> ControlNetModel:
    """Reads a ControlNet to the CPU.

    Args:
        file: see `read_controlnet_tensors`.
        unet: the configuration of the model's UNet, for what a file of weights does not say.
        dtype: of the weights.

    Raises:
        AdapterFileError: the file is damaged, unsafe or incomplete, or not a ControlNet for the model.
    """
    if _SHUFFLE in file.name.lower():
        raise AdapterFileError(
            "is a shuffle ControlNet by its name, and their global_pool_conditions are not supported; use "
            "another"
        )
    tensors = read_controlnet_tensors(file.path)
    config = {name: unet[name] for name in _CONFIG_OF_UNET}
    return build(ControlNetModel, config | _sizes(tensors, len(unet["block_out_channels"])), tensors, dtype)


def _sizes(tensors: StateDict, blocks: int) -> dict[str, Any]:
    """The settings that the tensors show; SDXL has ControlNets with less attention than its UNet."""
    depths = [_depth(tensors, f"down_blocks.{block}.") for block in range(blocks)]
    mid_depth = _depth(tensors, "mid_block.")
    steps = count_layers(tensors, f"{_EMBEDDING}blocks.")
    widths = [f"{_EMBEDDING}conv_in.weight", *(f"{_EMBEDDING}blocks.{i}.weight" for i in range(1, steps, 2))]
    try:
        return {
            "in_channels": tensors["conv_in.weight"].shape[1],
            "conditioning_channels": tensors[widths[0]].shape[1],
            "conditioning_embedding_out_channels": tuple(tensors[name].shape[0] for name in widths),
            "down_block_types": tuple("CrossAttnDownBlock2D" if each else "DownBlock2D" for each in depths),
            "mid_block_type": "UNetMidBlock2DCrossAttn" if mid_depth else "UNetMidBlock2D",
            "transformer_layers_per_block": (
                *(depth or 1 for depth in depths[:-1]),
                mid_depth or depths[-1] or 1,  # the mid block has the depth of the last entry
            ),
        }
    except KeyError as error:
        missing = error.args[0]
        raise AdapterFileError(f"lacks weights, for example {missing}; upload a complete one") from error
    except IndexError as error:
        raise AdapterFileError("has weights that are not those of a ControlNet; use another") from error


def _depth(tensors: StateDict, block: str) -> int:
    return count_layers(tensors, f"{block}attentions.0.transformer_blocks.")
