"""What an image costs at the least: its arithmetic, at the device's peak."""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

_PEAK_FLOPS = {"H100": 790e12, "H200": 790e12}
"""Dense bfloat16, as a large matrix product reaches it; by a word in the device's name."""


def floor_s(pipeline: Any, *, size: int, steps: int) -> float | None:
    """The seconds that the device's peak allows an image, guided; None for devices whose peak is not known.

    Args:
        pipeline: a Stable Diffusion or Stable Diffusion XL pipeline.
        size: pixels of the image's side.
        steps: evaluations of the denoiser.
    """
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peak = next((flops for word, flops in _PEAK_FLOPS.items() if word in name), None)
    return None if peak is None else work(pipeline, size=size, steps=steps) / peak


def work(pipeline: Any, *, size: int, steps: int) -> int:
    """The image's floating-point operations, a multiplication and an addition being two."""
    device, dtype = pipeline.device, pipeline.unet.dtype
    side = size // pipeline.vae_scale_factor

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, device=device, dtype=dtype)

    told: dict[str, Any] = {"encoder_hidden_states": noise(2, 77, pipeline.unet.config.cross_attention_dim)}
    if pipeline.unet.config.addition_embed_type == "text_time":
        width = pipeline.text_encoder_2.config.projection_dim
        told["added_cond_kwargs"] = {"text_embeds": noise(2, width), "time_ids": noise(2, 6)}
    with torch.inference_mode(), FlopCounterMode(display=False) as step:
        pipeline.unet(noise(2, 4, side, side), torch.tensor(500, device=device), **told)
    with torch.inference_mode(), FlopCounterMode(display=False) as decoding:
        pipeline.vae.decode(noise(1, 4, side, side).to(pipeline.vae.dtype))
    return steps * int(step.get_total_flops()) + int(decoding.get_total_flops())
