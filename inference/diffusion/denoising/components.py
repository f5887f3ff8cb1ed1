"""A loaded Stable Diffusion: its parts, kept on the device for every task."""

from dataclasses import dataclass
from typing import Any

from diffusers import (
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

from inference.diffusion.adapters.adapter_set import ResidentAdapters
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import Schedules
from inference.diffusion.modules.offloading import Offloading
from inference.diffusion.prompts.prompt_encoder import PromptEncoder

_PIPELINES = (
    StableDiffusionPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLPipeline,
    StableDiffusionXLInpaintPipeline,
)
_CHANNELS = (4, 9)


@dataclass(frozen=True)
class Components:
    """The parts of a Stable Diffusion, 1, 2 or XL.

    Attributes:
        prompts: its text encoders.
        unet: the denoiser.
        autoencoder: between pictures and latents.
        schedules: what leads from noise to latents.
        offloading: of the parts that do not work at every step.
        adapters: what requests put beside the parts.
        refiner: what may take the last steps; None is none.
    """

    prompts: PromptEncoder
    unet: UNet2DConditionModel
    autoencoder: Autoencoder
    schedules: Schedules
    offloading: Offloading
    adapters: ResidentAdapters
    refiner: Refiner | None = None

    @classmethod
    def of(cls, pipeline: Any, refiner: Refiner | None = None) -> "Components":
        """The parts of a pipeline that `fits`, and a refiner for it."""
        resting = [getattr(pipeline, name, None) for name in ("text_encoder", "text_encoder_2", "vae")]
        if refiner is not None:
            resting.append(refiner.text_encoder)
        return cls(
            prompts=PromptEncoder(pipeline),
            unet=pipeline.unet,
            autoencoder=Autoencoder(pipeline),
            schedules=Schedules(pipeline.scheduler.config),
            offloading=Offloading([part for part in resting if part is not None], pipeline.unet.device),
            adapters=ResidentAdapters(pipeline),
            refiner=refiner,
        )

    @staticmethod
    def fits(pipeline: Any) -> bool:
        """Whether the pipeline is a Stable Diffusion whose UNet is told prompt and size and nothing else."""
        if type(pipeline) not in _PIPELINES:
            return False
        settings = pipeline.unet.config
        return settings.time_cond_proj_dim is None and settings.in_channels in _CHANNELS

    @property
    def looks_at_masks(self) -> bool:
        """Whether the UNet has channels for a mask and the image behind it."""
        return bool(self.unet.config.in_channels > 4)
