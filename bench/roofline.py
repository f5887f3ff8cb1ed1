"""The roofline of an image: its floating-point operations at the GPU's peak rate."""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

_PEAK_FLOPS = {"H100": 790e12, "H200": 790e12}
"""By a part of the GPU's name: what a large bfloat16 matrix product reaches."""


def roofline_s(pipeline: Any, *, size: int, steps: int) -> float | None:
    """The least time in seconds that an image can take; None for GPUs whose peak is unknown.

    Args:
        pipeline: a Stable Diffusion or Stable Diffusion XL pipeline.
        size: width and height of the image in pixels.
        steps: denoiser evaluations, with classifier-free guidance.
    """
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peak = next((flops for part, flops in _PEAK_FLOPS.items() if part in name), None)
    return None if peak is None else flops_per_image(pipeline, size=size, steps=steps) / peak


def flops_per_image(pipeline: Any, *, size: int, steps: int) -> int:
    """The floating-point operations of UNet and VAE; a multiply-add counts as two."""
    device, dtype = pipeline.device, pipeline.unet.dtype
    side = size // pipeline.vae_scale_factor

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=dtype)

    arguments: dict[str, Any] = {
        "encoder_hidden_states": noise(2, 77, pipeline.unet.config.cross_attention_dim)
    }
    if pipeline.unet.config.addition_embed_type == "text_time":
        width = pipeline.text_encoder_2.config.projection_dim
        arguments["added_cond_kwargs"] = {"text_embeds": noise(2, width), "time_ids": noise(2, 6)}
    with torch.inference_mode(), FlopCounterMode(display=False) as step:
        pipeline.unet(noise(2, 4, side, side), torch.tensor(500, device=device), **arguments)
    with torch.inference_mode(), FlopCounterMode(display=False) as decoding:
        pipeline.vae.decode(noise(1, 4, side, side).to(pipeline.vae.dtype))
    return steps * int(step.get_total_flops()) + int(decoding.get_total_flops())
