"""A UNet of the size at which launching its operations takes all of the time, as on a fast GPU."""

import time
from collections.abc import Callable
from typing import Any

import torch
from diffusers import UNet2DConditionModel

_CHANNELS = 16


def tiny_unet() -> Callable[[], float]:
    """A function that runs one forward pass of a UNet on the calling thread, and returns its seconds.

    The UNet has the layers of Stable Diffusion 1.5, about 1,200 operations, each of a few microseconds.
    """
    torch.manual_seed(0)
    unet: Any = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        block_out_channels=(_CHANNELS,) * 4,
        norm_num_groups=_CHANNELS,
        layers_per_block=2,
        cross_attention_dim=2 * _CHANNELS,
        attention_head_dim=8,
    ).eval()
    latents, timesteps = torch.randn(2, 4, 8, 8), torch.ones(2)
    embeddings = torch.randn(2, 4, 2 * _CHANNELS)

    def forward() -> float:
        started_at = time.perf_counter()
        with torch.inference_mode():
            unet(latents, timesteps, encoder_hidden_states=embeddings, return_dict=False)
        return time.perf_counter() - started_at

    return forward
