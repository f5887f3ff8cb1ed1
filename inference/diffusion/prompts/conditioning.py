"""The UNet's conditionings: prompt embeddings and, for SDXL, image sizes."""

from collections.abc import Hashable
from dataclasses import dataclass

import torch

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile


@dataclass(frozen=True)
class Conditioning:
    """The conditioning of one UNet sample.

    Attributes:
        embeddings: of the prompt's tokens, (1, tokens, width).
        pooled: of the whole prompt, (1, width); SDXL only.
        time_ids: original size, crop and target size in pixels, height first, (1, 6); SDXL only. A refiner
            that takes an aesthetic score has it in place of the target size, (1, 5).
    """

    embeddings: torch.Tensor
    pooled: torch.Tensor | None = None
    time_ids: torch.Tensor | None = None


def uses_classifier_free_guidance(generation: Generation) -> bool:
    """Whether the UNet runs on the negative prompt as well: at a guidance scale above 1, as in diffusers."""
    return generation.guidance_scale > 1


def encode_prompts(
    encoder: PromptEncoder,
    generation: Generation,
    size: Size,
    *,
    embeddings: tuple[AdapterFile, ...] = (),
    variant: Hashable = None,
) -> tuple[Conditioning, ...]:
    """The conditionings of the negative prompt, with classifier-free guidance, and of the prompt.

    They have the same number of tokens.

    Args:
        encoder: the model's.
        generation: has the prompts.
        size: of the image in pixels, width and height.
        embeddings: the files of the generation's textual inversions.
        variant: part of the cache key; differs where the text encoders' weights do, as with LoRAs.
    """
    encoded = encoder.encode(
        generation,
        classifier_free_guidance=uses_classifier_free_guidance(generation),
        embeddings=embeddings,
        variant=variant,
    )
    return tuple(
        Conditioning(
            each.embeddings, each.pooled, None if each.pooled is None else _time_ids(size).to(each.pooled)
        )
        for each in encoded
    )


def _time_ids(size: Size) -> torch.Tensor:
    width, height = size
    return torch.tensor([[height, width, 0, 0, height, width]])
