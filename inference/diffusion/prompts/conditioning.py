"""The UNet's conditionings: prompt embeddings and, for SDXL, image sizes."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import torch

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True)
class ConditioningStage:
    """The conditionings of consecutive denoiser evaluations.

    Attributes:
        start: the first of these evaluations.
        conditionings: the negative prompt's, with classifier-free guidance, and those of the prompts that AND
            joins; all of the same number of tokens.
    """

    start: int
    conditionings: tuple[Conditioning, ...]

    @property
    def tokens(self) -> int:
        """The number of tokens, padding included."""
        return self.conditionings[0].embeddings.shape[1]


def uses_classifier_free_guidance(generation: Generation) -> bool:
    """Whether the UNet runs on the negative prompt as well.

    At a guidance scale above 1, as in diffusers, and where AND joins prompts, whose differences from the
    negative prompt are added.
    """
    return generation.guidance_scale > 1 or len(generation.prompt_weights) > 1


def encode_prompts(
    encoder: PromptEncoder,
    generation: Generation,
    size: Size,
    *,
    embeddings: tuple[AdapterFile, ...] = (),
    variant: Hashable = None,
) -> tuple[ConditioningStage, ...]:
    """The conditionings of all denoiser evaluations.

    Args:
        encoder: the model's.
        generation: has the prompts.
        size: of the image in pixels, width and height.
        embeddings: the files of the generation's textual inversions.
        variant: part of the cache key; differs where the text encoders' weights do, as with LoRAs.
    """
    return tuple(
        ConditioningStage(
            start,
            tuple(
                Conditioning(
                    each.embeddings,
                    each.pooled,
                    None if each.pooled is None else _time_ids(size).to(each.pooled),
                )
                for each in rows
            ),
        )
        for start, rows in encode_stages(encoder, generation, embeddings=embeddings, variant=variant)
    )


def encode_stages(
    encoder: PromptEncoder,
    generation: Generation,
    *,
    embeddings: tuple[AdapterFile, ...],
    variant: Hashable,
) -> Iterator[tuple[int, tuple[EncodedPrompt, ...]]]:
    """The first evaluation of each stage, and its encoded prompts; see `encode_prompts`."""
    stages = generation.prompt_stages
    encoded = encoder.encode(
        [stage.texts for stage in stages],
        clip_skip=generation.clip_skip,
        classifier_free_guidance=uses_classifier_free_guidance(generation),
        embeddings=embeddings,
        variant=variant,
    )
    return zip((stage.start for stage in stages), encoded, strict=True)


def _time_ids(size: Size) -> torch.Tensor:
    width, height = size
    return torch.tensor([[height, width, 0, 0, height, width]])
