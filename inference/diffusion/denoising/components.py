"""The components of a loaded Stable Diffusion model, shared by every task."""

from dataclasses import dataclass
from typing import Any

from diffusers import (
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

from inference.diffusion.adapters.adapter_set import AdapterLoader
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.diffusion.modules.offloading import Offloading
from inference.diffusion.prompts.prompt_encoder import PromptEncoder

_PIPELINES = (
    StableDiffusionPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLPipeline,
    StableDiffusionXLInpaintPipeline,
)
_IN_CHANNELS = (4, 9)


@dataclass(frozen=True)
class Components:
    """The components of Stable Diffusion 1.x, 2.x or XL.

    Attributes:
        prompts: the text encoders.
        unet: predicts the noise.
        autoencoder: converts between images and latents.
        schedulers: creates a noise schedule for each image.
        offloading: moves the text encoders and the VAE off the GPU between uses.
        adapters: loads the adapters that requests name.
        refiner: of SDXL; None if the model has none.
    """

    prompts: PromptEncoder
    unet: UNet2DConditionModel
    autoencoder: Autoencoder
    schedulers: NoiseSchedulers
    offloading: Offloading
    adapters: AdapterLoader
    refiner: Refiner | None = None

    @classmethod
    def of(
        cls,
        pipeline: Any,
        refiner: Refiner | None = None,
        *,
        mix_loras: bool = False,
        merge_loras: bool = False,
    ) -> "Components":
        """The components of a pipeline that `supports` accepts, and its refiner.

        Args:
            pipeline: the pipeline.
            refiner: its refiner.
            mix_loras: see `AdapterLoader`.
            merge_loras: see `AdapterLoader`.
        """
        offloadable = [getattr(pipeline, name, None) for name in ("text_encoder", "text_encoder_2", "vae")]
        if refiner is not None:
            offloadable.append(refiner.text_encoder)
        return cls(
            prompts=PromptEncoder(pipeline),
            unet=pipeline.unet,
            autoencoder=Autoencoder(pipeline),
            schedulers=NoiseSchedulers(
                pipeline.scheduler.config, dtype=pipeline.unet.dtype, device_type=pipeline.unet.device.type
            ),
            offloading=Offloading([each for each in offloadable if each is not None], pipeline.unet.device),
            adapters=AdapterLoader(pipeline, mix_loras=mix_loras, merge_loras=merge_loras),
            refiner=refiner,
        )

    @staticmethod
    def supports(pipeline: Any) -> bool:
        """Whether the pipeline is a Stable Diffusion whose UNet is conditioned on prompt and size only."""
        if type(pipeline) not in _PIPELINES:
            return False
        config = pipeline.unet.config
        return config.time_cond_proj_dim is None and config.in_channels in _IN_CHANNELS

    @property
    def has_mask_channels(self) -> bool:
        """Whether this is an inpainting UNet, with input channels for the mask and the masked image."""
        return bool(self.unet.config.in_channels > 4)
