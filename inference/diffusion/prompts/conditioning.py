"""What the UNet is told beside the latents: prompts, and for SDXL the picture's size."""

from collections.abc import Hashable
from dataclasses import dataclass

import torch

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile


@dataclass(frozen=True)
class Conditioning:
    """One row of what the UNet is told.

    Attributes:
        embeddings: (1, tokens, width), of the prompt's tokens.
        pooled: (1, width), of the prompt as a whole; SDXL only.
        time_ids: (1, 6), original size, crop and target size in pixels, rows first; SDXL only. Of a refiner
            that is told one, (1, 5): an aesthetic score in place of the target size.
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None


def is_guided(generation: Generation) -> bool:
    """Whether the prompt has a weight, so that the UNet is asked without it too."""
    return generation.guidance_scale > 1


def encode_prompts(
    encoder: PromptEncoder,
    generation: Generation,
    size: Size,
    *,
    embeddings: tuple[AdapterFile, ...] = (),
    variant: Hashable = None,
) -> tuple[Conditioning, ...]:
    """The negative prompt's row, if there is guidance, and then the prompt's, of as many tokens.

    Args:
        encoder: the model's.
        generation: whose prompts.
        size: width and height, pixels.
        embeddings: the files of the generation's textual inversions.
        variant: differs where the text encoders' weights do, as with LoRAs.
    """
    guided = is_guided(generation)
    encoded = encoder.encode(generation, guided=guided, embeddings=embeddings, variant=variant)
    return tuple(
        Conditioning(
            row.embeddings, row.pooled, None if row.pooled is None else _time_ids(size).to(row.pooled)
        )
        for row in encoded
    )


def _time_ids(size: Size) -> torch.Tensor:
    width, height = size
    return torch.tensor([[height, width, 0, 0, height, width]])
