"""What the UNet is told beside the latents: prompts, and for SDXL the picture's size."""

from dataclasses import dataclass
from typing import Any

import torch

from inference.contract.generation import Generation


@dataclass(frozen=True)
class Conditioning:
    """One row of what the UNet is told.

    Attributes:
        embeddings: (1, tokens, width), of the prompt's tokens.
        pooled: (1, width), of the prompt as a whole; SDXL only.
        time_ids: (1, 6), original size, crop and target size in pixels, rows first; SDXL only.
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None


def is_guided(generation: Generation) -> bool:
    """Whether the prompt has a weight, so that the UNet is asked without it too."""
    return generation.guidance_scale > 1


def encode_prompts(pipeline: Any, generation: Generation, size: tuple[int, int]) -> tuple[Conditioning, ...]:
    """The negative prompt's row, if there is guidance, and then the prompt's.

    Args:
        pipeline: a Stable Diffusion or Stable Diffusion XL pipeline.
        generation: whose prompts.
        size: width and height, pixels.
    """
    guided = is_guided(generation)
    encoded = pipeline.encode_prompt(
        prompt=generation.prompt,
        device=pipeline.unet.device,  # the rest may be on its way to it
        num_images_per_prompt=1,
        do_classifier_free_guidance=guided,
        negative_prompt=generation.negative_prompt or None,  # None may be zeros: the model's settings say
    )
    prompt, negative, pooled, negative_pooled = (*encoded, None, None)[:4]
    time_ids = None if pooled is None else _time_ids(size).to(pooled)
    asked = Conditioning(prompt, pooled, time_ids)
    return (Conditioning(negative, negative_pooled, time_ids), asked) if guided else (asked,)


def _time_ids(size: tuple[int, int]) -> torch.Tensor:
    width, height = size
    return torch.tensor([[height, width, 0, 0, height, width]])
