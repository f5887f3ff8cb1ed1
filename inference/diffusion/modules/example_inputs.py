"""Inputs of a UNet, for timing it."""

from typing import Any

import torch

_TOKENS = 77
_TIME_IDS = 6


def example_inputs(unet: Any, *, rows: int, width: int, height: int) -> dict[str, Any]:
    """Random arguments of `diffusers.UNet2DConditionModel.forward`.

    Args:
        unet: of Stable Diffusion 1.x, 2.x or XL.
        rows: samples.
        width: of the latents.
        height: of the latents.
    """
    config, on_device = unet.config, {"device": unet.device, "dtype": unet.dtype}
    added = None
    if config.addition_embed_type == "text_time":
        pooled = config.projection_class_embeddings_input_dim - _TIME_IDS * config.addition_time_embed_dim
        added = {
            "text_embeds": torch.randn(rows, pooled, **on_device),
            "time_ids": torch.full((rows, _TIME_IDS), 512.0, **on_device),
        }
    return {
        "sample": torch.randn(rows, config.in_channels, height, width, **on_device),
        "timestep": torch.full((rows,), 500.0, device=unet.device),
        "encoder_hidden_states": torch.randn(rows, _TOKENS, config.cross_attention_dim, **on_device),
        "added_cond_kwargs": added,
        "return_dict": False,
    }
