"""The SDXL refiner: a second UNet that continues from the base model's latents for the last steps."""

from dataclasses import dataclass
from typing import Any

import torch

from contract.generation import Generation
from contract.size import Size
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.diffusion.prompts.conditioning import (
    Conditioning,
    ConditioningStage,
    encode_stages,
    uses_classifier_free_guidance,
)
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import PromptEncoder
from inference.engine.interface import AdapterFile

_AESTHETIC_SCORES = (2.5, 6.0)
"""For the negative prompt and the prompt: the defaults of diffusers' StableDiffusionXLImg2ImgPipeline."""


@dataclass(frozen=True)
class Refiner:
    """The refiner's own components; the base model's VAE decodes the images.

    Attributes:
        prompts: encodes prompts with the refiner's one text encoder.
        text_encoder: that text encoder.
        unet: predicts the noise.
        schedulers: creates the schedules of the last steps.
        requires_aesthetics_score: whether the UNet takes an aesthetic score in place of the target size.
    """

    prompts: PromptEncoder
    text_encoder: torch.nn.Module
    unet: Any
    schedulers: NoiseSchedulers
    requires_aesthetics_score: bool

    @classmethod
    def of(cls, pipeline: Any) -> "Refiner":
        """The components of a StableDiffusionXLImg2ImgPipeline."""
        return cls(
            prompts=PromptEncoder(pipeline),
            text_encoder=pipeline.text_encoder_2,
            unet=pipeline.unet,
            schedulers=NoiseSchedulers(
                pipeline.scheduler.config, dtype=pipeline.unet.dtype, device_type=pipeline.unet.device.type
            ),
            requires_aesthetics_score=bool(pipeline.config.requires_aesthetics_score),
        )

    def encode_prompts(
        self, generation: Generation, size: Size, *, embeddings: tuple[AdapterFile, ...]
    ) -> tuple[ConditioningStage, ...]:
        """The UNet's conditionings; see `inference.diffusion.prompts.conditioning.encode_prompts`."""
        stages = encode_stages(self.prompts, generation, embeddings=embeddings, variant=None)
        classifier_free_guidance = uses_classifier_free_guidance(generation)
        return tuple(
            ConditioningStage(start, self._conditionings(rows, size, classifier_free_guidance))
            for start, rows in stages
        )

    def _conditionings(
        self, rows: tuple[EncodedPrompt, ...], size: Size, classifier_free_guidance: bool
    ) -> tuple[Conditioning, ...]:
        width, height = size
        conditionings = []
        for index, row in enumerate(rows):
            score = _AESTHETIC_SCORES[index > 0 or not classifier_free_guidance]
            last = (score,) if self.requires_aesthetics_score else (height, width)
            time_ids = torch.tensor([[height, width, 0, 0, *last]]).to(row.embeddings)
            conditionings.append(Conditioning(row.embeddings, row.pooled, time_ids))
        return tuple(conditionings)
