"""An SDXL refiner: another UNet that takes the latents over for the last steps."""

from dataclasses import dataclass
from typing import Any

import torch

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.modules.noise_schedulers import Schedules
from inference.diffusion.prompts.conditioning import Conditioning, is_guided
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile

_AESTHETIC_SCORES = (2.5, 6.0)
"""How well the picture should look, without and with the prompt: diffusers' own values."""


@dataclass(frozen=True)
class Refiner:
    """The parts of a refiner that are its own; pictures are decoded by the model that it refines for.

    Attributes:
        prompts: the refiner's view of a prompt, by its one text encoder.
        text_encoder: that one.
        unet: the denoiser.
        schedules: what leads through its steps.
        scored: whether it is told an aesthetic score in place of the target size.
    """

    prompts: PromptEncoder
    text_encoder: torch.nn.Module
    unet: Any
    schedules: Schedules
    scored: bool

    @classmethod
    def of(cls, pipeline: Any) -> "Refiner":
        """The parts of a StableDiffusionXLImg2ImgPipeline."""
        return cls(
            prompts=PromptEncoder(pipeline),
            text_encoder=pipeline.text_encoder_2,
            unet=pipeline.unet,
            schedules=Schedules(pipeline.scheduler.config),
            scored=bool(pipeline.config.requires_aesthetics_score),
        )

    def conditions(
        self, generation: Generation, size: Size, *, embeddings: tuple[AdapterFile, ...]
    ) -> tuple[Conditioning, ...]:
        """What the UNet is told; see `inference.diffusion.prompts.conditioning.encode_prompts`."""
        guided = is_guided(generation)
        rows = self.prompts.encode(generation, guided=guided, embeddings=embeddings, variant=None)
        scores = _AESTHETIC_SCORES if guided else _AESTHETIC_SCORES[-1:]
        width, height = size
        conditions = []
        for row, score in zip(rows, scores, strict=True):
            last = (score,) if self.scored else (height, width)
            time_ids = torch.tensor([[height, width, 0, 0, *last]]).to(row.embeddings)
            conditions.append(Conditioning(row.embeddings, row.pooled, time_ids))
        return tuple(conditions)
