"""What a slot begins with: the ways in which text to image, image to image and inpainting differ."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from PIL import Image

from contract.size import Size
from inference.diffusion.modules.autoencoder import Autoencoder
from inference.diffusion.modules.noise_schedulers import Schedule
from inference.diffusion.modules.vae_tiling import Concede


@dataclass(frozen=True)
class Repaint:
    """What lies outside the mask, which every step puts back.

    Attributes:
        mask: (1, 1, height, width), 1 where the image is drawn anew.
        image: (1, 4, height, width) latents.
        noise: of the same shape; with it the image is brought to the noise level of the step.
    """

    mask: torch.Tensor
    image: torch.Tensor
    noise: torch.Tensor

    def restore(self, latents: torch.Tensor, scheduler: Any, timestep: torch.Tensor) -> torch.Tensor:
        """The latents with what is outside the mask as the image has it at `timestep`, (1,) or (0,)."""
        noisy = scheduler.add_noise(self.image, self.noise, timestep) if len(timestep) else self.image
        return (1 - self.mask) * noisy + self.mask * latents


@dataclass(frozen=True)
class Start:
    """Where a task lets a slot begin.

    Attributes:
        latents: (1, 4, height, width).
        repaint: what every step puts back; None puts nothing back.
        channels: (1, 5, height, width), mask and masked image for a UNet that looks at them; None for others.
    """

    latents: torch.Tensor
    repaint: Repaint | None = None
    channels: torch.Tensor | None = None


class Task(Protocol):
    """How the images of one generation begin; what they share is made with the task."""

    def start(self, schedule: Schedule, generator: torch.Generator) -> Start:
        """Where the image of this generator begins."""
        ...


class TextToImage:
    """Begins with noise."""

    def __init__(self, autoencoder: Autoencoder, size: Size) -> None:
        """Takes the size in pixels, width and height."""
        self._autoencoder = autoencoder
        self._shape = autoencoder.shape(*size)

    def start(self, schedule: Schedule, generator: torch.Generator) -> Start:
        """See `Task.start`."""
        return Start(_pure(self._autoencoder.noise(self._shape, generator), schedule))


class ImageToImage:
    """Begins with an image under noise."""

    def __init__(self, autoencoder: Autoencoder, image: Image.Image, *, concede: Concede) -> None:
        self._autoencoder = autoencoder
        self._sample = autoencoder.encode(autoencoder.pixels(image), concede)

    def start(self, schedule: Schedule, generator: torch.Generator) -> Start:
        """See `Task.start`."""
        image = self._sample(generator)
        return Start(_noisy(image, self._autoencoder.noise(image.shape, generator), schedule))


class Inpainting:
    """Keeps what is outside the mask by putting it back after every step."""

    def __init__(
        self,
        autoencoder: Autoencoder,
        image: Image.Image,
        mask: Image.Image,
        *,
        from_noise: bool,
        concede: Concede,
    ) -> None:
        """Takes the pictures, and whether nothing of the image shows through inside the mask."""
        self._autoencoder = autoencoder
        self._from_noise = from_noise
        self._sample = autoencoder.encode(autoencoder.pixels(image), concede)
        self._mask = autoencoder.mask(mask)[1]

    def start(self, schedule: Schedule, generator: torch.Generator) -> Start:
        """See `Task.start`."""
        image = self._sample(generator).contiguous()  # as diffusers does: the layout decides the last bits
        noise = self._autoencoder.noise(image.shape, generator)
        # diffusers encodes the masked image too; it has no use for it here, but has drawn noise for it
        self._autoencoder.noise(image.shape, generator)
        latents = _pure(noise, schedule) if self._from_noise else _noisy(image, noise, schedule)
        return Start(latents, repaint=Repaint(self._mask, image, noise))


class MaskedChannels:
    """Shows the mask and what is outside it to a UNet that has learned to look at them."""

    def __init__(
        self,
        autoencoder: Autoencoder,
        image: Image.Image,
        mask: Image.Image,
        *,
        from_noise: bool,
        concede: Concede,
    ) -> None:
        """Takes the pictures, and whether nothing of the image shows through inside the mask."""
        self._autoencoder = autoencoder
        self._shape = autoencoder.shape(*image.size)
        pixels = autoencoder.pixels(image)
        by_pixel, self._mask = autoencoder.mask(mask)
        self._sample = None if from_noise else autoencoder.encode(pixels, concede)
        self._sample_outside = autoencoder.encode(pixels * (by_pixel < 0.5), concede)

    def start(self, schedule: Schedule, generator: torch.Generator) -> Start:
        """See `Task.start`."""
        image = None if self._sample is None else self._sample(generator).contiguous()
        noise = self._autoencoder.noise(self._shape, generator)
        latents = _pure(noise, schedule) if image is None else _noisy(image, noise, schedule)
        channels = torch.cat([self._mask, self._sample_outside(generator)], dim=1)
        return Start(latents, channels=channels)


def _pure(noise: torch.Tensor, schedule: Schedule) -> torch.Tensor:
    latents: torch.Tensor = noise * schedule.scheduler.init_noise_sigma
    return latents


def _noisy(image: torch.Tensor, noise: torch.Tensor, schedule: Schedule) -> torch.Tensor:
    latents: torch.Tensor = schedule.scheduler.add_noise(image, noise, schedule.timesteps[:1])
    return latents
