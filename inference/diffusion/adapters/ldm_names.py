"""The names of a UNet's layers in the original Stable Diffusion code, which kohya and ComfyUI use."""

import re
from collections.abc import Mapping

from diffusers.loaders.single_file_utils import DIFFUSERS_TO_LDM_MAPPING

_OUTSIDE_BLOCKS: Mapping[str, str] = {
    diffusers_name.rpartition(".")[0]: ldm_name.rpartition(".")[0]
    for part in ("layers", "addition_embed_type")
    for diffusers_name, ldm_name in DIFFUSERS_TO_LDM_MAPPING["unet"][part].items()
}
_IN_RESNETS = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MID_BLOCK = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def ldm_name(name: str, *, layers_per_block: int, has_attention: bool) -> str | None:
    """The original name of a layer; None for layers that the original UNet does not have.

    Args:
        name: of the layer in diffusers, for example `mid_block.resnets.0.conv1`.
        layers_per_block: a setting of the UNet.
        has_attention: whether the layer's block has attention layers.
    """
    if name in _OUTSIDE_BLOCKS:
        return _OUTSIDE_BLOCKS[name]
    if match := _MID_BLOCK.fullmatch(name):
        kind, index, rest = match.groups()
        position = 1 if kind == "attentions" else 2 * int(index)
        return f"middle_block.{position}.{_in_block(kind, rest)}"
    if not (match := _BLOCK.fullmatch(name)):
        return None
    direction, block, kind, index, rest = match.groups()
    first = int(block) * (layers_per_block + 1)
    if kind == "downsamplers":
        return f"input_blocks.{first + layers_per_block + 1}.0.op"
    if kind == "upsamplers":
        return f"output_blocks.{first + layers_per_block}.{1 + has_attention}.conv"
    part = f"{int(kind == 'attentions')}.{_in_block(kind, rest)}"
    if direction == "down":
        return f"input_blocks.{first + int(index) + 1}.{part}"
    return f"output_blocks.{first + int(index)}.{part}"


def _in_block(kind: str, rest: str) -> str:
    return _IN_RESNETS.get(rest, rest) if kind == "resnets" else rest
