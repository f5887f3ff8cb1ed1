"""Model families, with their default request values and limits."""

from enum import StrEnum

from contract.model import ModelDefaults, ModelLimits


class Family(StrEnum):
    """The architecture of a model. An adapter fits the models of one family."""

    SD1 = "sd1"
    """Stable Diffusion 1.x: one text encoder, CLIP ViT-L."""

    SD2 = "sd2"
    """Stable Diffusion 2.x: one text encoder, OpenCLIP ViT-H."""

    SDXL = "sdxl"
    """Stable Diffusion XL base: two text encoders, CLIP ViT-L and OpenCLIP ViT-bigG."""

    SDXL_REFINER = "sdxl_refiner"
    """Stable Diffusion XL refiner: one text encoder, OpenCLIP ViT-bigG."""

    OTHER = "other"

    @property
    def defaults(self) -> ModelDefaults:
        """Request defaults for models of the family that declare none."""
        return _DEFAULTS[self]

    @property
    def limits(self) -> ModelLimits:
        """Request limits for models of the family that declare none."""
        return _LIMITS[self]


_DEFAULTS = {
    Family.SD1: ModelDefaults(width=512, height=512),
    Family.SD2: ModelDefaults(width=768, height=768),
    Family.SDXL: ModelDefaults(width=1024, height=1024, guidance_scale=7.0),
    Family.SDXL_REFINER: ModelDefaults(width=1024, height=1024, guidance_scale=7.0, strength=0.3),
    Family.OTHER: ModelDefaults(),
}
_LIMITS = {
    Family.SD1: ModelLimits(max_size=1024),
    Family.SD2: ModelLimits(max_size=1536),
    Family.SDXL: ModelLimits(max_size=2048),
    Family.SDXL_REFINER: ModelLimits(max_size=2048),
    Family.OTHER: ModelLimits(),
}
