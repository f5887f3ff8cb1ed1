"""The DoRA of a LoRA: the same change, with the weights' norms apart from their directions."""

from pathlib import Path
from typing import Any

import torch
from diffusers.utils import convert_state_dict_to_kohya
from safetensors.torch import save_file

from training.shapes import NEW_SHAPE


def save_dora(directory: Path, weights: dict[str, torch.Tensor], unet: Any) -> None:
    """Writes the DoRA with kohya's names and LyCORIS' norms, one for each input channel.

    Args:
        directory: of the LoRA's files.
        weights: the LoRA's, under peft's names, with an alpha that equals the rank.
        unet: the LoRA's model, without the LoRA.
    """
    content = convert_state_dict_to_kohya({f"unet.{name}": value for name, value in weights.items()})
    for name in [name for name in weights if name.endswith(".lora_A.weight")]:
        layer = name.removesuffix(".lora_A.weight")
        down, up = weights[name].float(), weights[f"{layer}.lora_B.weight"].float()
        weight = unet.get_submodule(layer).weight.detach().float()
        changed = weight + (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
        norms = torch.linalg.vector_norm(changed, dim=[each for each in range(weight.ndim) if each != 1])
        shape = (1, -1, *[1] * (weight.ndim - 2))
        content[f"lora_unet_{layer.replace('.', '_')}.dora_scale"] = norms.reshape(shape)
    half = {name: value.to(torch.float16).contiguous() for name, value in content.items()}
    save_file(half, directory / f"{NEW_SHAPE}-dora.safetensors")
