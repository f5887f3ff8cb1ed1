"""Initial latents: where text-to-image, image-to-image and inpainting differ."""

from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image

from contract.size import Size
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import NoiseSchedule
from inference.diffusion.modules.vae_tiling import RecordFallback
from inference.diffusion.solvers.instructions import Register
from inference.diffusion.solvers.traced_steps import IMAGE, LATENTS, MASK, NOISE, PRESERVED


@dataclass(frozen=True)
class PreservedRegion:
    """The image outside an inpainting mask, which is restored after every step.

    Attributes:
        mask: (1, 1, height, width), 1 where the image is regenerated.
        image: latents, (1, 4, height, width).
        noise: (1, 4, height, width), added to the image to match the latents' noise level.
    """

    mask: torch.Tensor
    image: torch.Tensor
    noise: torch.Tensor

    def registers(self) -> dict[Register, torch.Tensor]:
        """The initial registers of `NoiseSchedule.preserving_steps` besides the latents."""
        mask = self.mask.expand_as(self.image).contiguous()
        return {IMAGE: self.image, NOISE: self.noise, MASK: mask, PRESERVED: 1 - mask}


@dataclass(frozen=True, eq=False)
class InitialLatents:
    """A slot's initial latents and inpainting inputs.

    Attributes:
        latents: (1, 4, height, width).
        preserved: restored after every step; None restores nothing.
        mask_channels: mask and masked image for an inpainting UNet, (1, 5, height, width); None for others.
    """

    latents: torch.Tensor
    preserved: PreservedRegion | None = None
    mask_channels: torch.Tensor | None = None

    def registers(self) -> dict[Register, torch.Tensor]:
        """The initial registers of a slot."""
        registers = {} if self.preserved is None else self.preserved.registers()
        registers[LATENTS] = self.latents
        # one memory format lets CUDA compute a batch together; on the CPU it decides the last bits
        return {each: value.contiguous() if value.is_cuda else value for each, value in registers.items()}


class LatentInitializer(Protocol):
    """Creates the initial latents of a generation's images; its inputs are encoded only once."""

    def initialize(self, schedule: NoiseSchedule, generator: torch.Generator) -> InitialLatents:
        """The initial latents of the image with this generator."""
        ...


class TextToImage:
    """Starts from noise."""

    def __init__(self, autoencoder: Autoencoder, size: Size) -> None:
        """Takes the image size in pixels, width and height."""
        self._autoencoder = autoencoder
        self._shape = autoencoder.latent_shape(*size)

    def initialize(self, schedule: NoiseSchedule, generator: torch.Generator) -> InitialLatents:
        """See `LatentInitializer.initialize`."""
        return InitialLatents(_initial_noise(self._autoencoder.noise(self._shape, generator), schedule))


class ImageToImage:
    """Starts from an image with noise added."""

    def __init__(
        self, autoencoder: Autoencoder, image: Image.Image, *, record_fallback: RecordFallback
    ) -> None:
        self._autoencoder = autoencoder
        self._sample = autoencoder.encode(autoencoder.pixels(image), record_fallback)

    def initialize(self, schedule: NoiseSchedule, generator: torch.Generator) -> InitialLatents:
        """See `LatentInitializer.initialize`."""
        image = self._sample(generator)
        return InitialLatents(_add_noise(image, self._autoencoder.noise(image.shape, generator), schedule))


class Inpainting:
    """Inpaints with a text-to-image UNet: the image outside the mask is restored after every step."""

    def __init__(
        self,
        autoencoder: Autoencoder,
        image: Image.Image,
        mask: Image.Image,
        *,
        from_noise: bool,
        record_fallback: RecordFallback,
    ) -> None:
        """Encodes the image and the mask; `from_noise` starts from pure noise inside the mask."""
        self._autoencoder = autoencoder
        self._from_noise = from_noise
        self._sample = autoencoder.encode(autoencoder.pixels(image), record_fallback)
        self._mask = autoencoder.mask(mask)[1]

    def initialize(self, schedule: NoiseSchedule, generator: torch.Generator) -> InitialLatents:
        """See `LatentInitializer.initialize`."""
        # contiguous as in diffusers: the memory format decides the last bits
        image = self._sample(generator).contiguous()
        noise = self._autoencoder.noise(image.shape, generator)
        # diffusers also samples latents of the masked image, which only inpainting UNets use; this keeps the
        # generator in the same state
        self._autoencoder.noise(image.shape, generator)
        latents = _initial_noise(noise, schedule) if self._from_noise else _add_noise(image, noise, schedule)
        return InitialLatents(latents, preserved=PreservedRegion(self._mask, image, noise))


class InpaintingUNet:
    """Inpaints with a UNet of 9 input channels, which receives the mask and the masked image."""

    def __init__(
        self,
        autoencoder: Autoencoder,
        image: Image.Image,
        mask: Image.Image,
        *,
        from_noise: bool,
        record_fallback: RecordFallback,
    ) -> None:
        """Encodes the image and the mask; `from_noise` starts from pure noise inside the mask."""
        self._autoencoder = autoencoder
        self._shape = autoencoder.latent_shape(*image.size)
        pixels = autoencoder.pixels(image)
        pixel_mask, self._mask = autoencoder.mask(mask)
        self._sample = None if from_noise else autoencoder.encode(pixels, record_fallback)
        self._sample_masked = autoencoder.encode(pixels * (pixel_mask < 0.5), record_fallback)

    def initialize(self, schedule: NoiseSchedule, generator: torch.Generator) -> InitialLatents:
        """See `LatentInitializer.initialize`."""
        image = None if self._sample is None else self._sample(generator).contiguous()
        noise = self._autoencoder.noise(self._shape, generator)
        latents = _initial_noise(noise, schedule) if image is None else _add_noise(image, noise, schedule)
        mask_channels = torch.cat([self._mask, self._sample_masked(generator)], dim=1)
        return InitialLatents(latents, mask_channels=mask_channels)


def _initial_noise(noise: torch.Tensor, schedule: NoiseSchedule) -> torch.Tensor:
    latents: torch.Tensor = noise * schedule.scheduler.init_noise_sigma
    return latents


def _add_noise(image: torch.Tensor, noise: torch.Tensor, schedule: NoiseSchedule) -> torch.Tensor:
    latents: torch.Tensor = schedule.scheduler.add_noise(image, noise, schedule.timesteps[:1])
    return latents
