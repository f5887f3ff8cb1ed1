"""Between pictures and latents: the VAE, and diffusers' own treatment of pixels."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from inference.diffusion.modules.vae_tiling import Concede, in_tiles_if_need_be
from inference.engine.errors import InvalidOutputError

_BLACK = 1 / 255 - 1
"""Below half a step of eight bits above it, a pixel is black."""


class Autoencoder:
    """A Stable Diffusion pipeline's VAE.

    It takes one picture at a time, so that pictures do not depend on which others are finished, nor memory on
    how many are.
    """

    def __init__(self, pipeline: Any, vae: Any = None) -> None:
        """Takes the pipeline, and the VAE that takes the place of its own; None leaves it."""
        self._vae = pipeline.vae if vae is None else vae
        self._config = self._vae.config
        self._dtype = pipeline.unet.dtype
        self._device = pipeline.device
        self._factor = pipeline.vae_scale_factor
        self._mean = self._statistic(self._config.latents_mean, 0.0)
        self._std = self._statistic(self._config.latents_std, 1.0)
        self._pixels = VaeImageProcessor(vae_scale_factor=self._factor)
        self._masks = VaeImageProcessor(
            vae_scale_factor=self._factor, do_normalize=False, do_binarize=True, do_convert_grayscale=True
        )

    def shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The shape of the latents of a picture of this size in pixels."""
        return (1, self._config.latent_channels, height // self._factor, width // self._factor)

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Noise of the precision and on the device of the latents."""
        noise: torch.Tensor = randn_tensor(shape, generator=generator, device=self._device, dtype=self._dtype)
        return noise

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """The picture as (1, 3, height, width), -1 to 1, on the CPU."""
        pixels: torch.Tensor = self._pixels.preprocess(image)
        return pixels

    def mask(self, mask: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
        """The mask as (1, 1, height, width) of 0 and 1: by pixel, on the CPU; by latent, on the device."""
        by_pixel = self._masks.preprocess(mask)
        size = (mask.height // self._factor, mask.width // self._factor)
        by_latent = torch.nn.functional.interpolate(by_pixel, size=size)
        return by_pixel, by_latent.to(device=self._device, dtype=self._dtype)

    def encode(self, pixels: torch.Tensor, concede: Concede) -> Callable[[torch.Generator], torch.Tensor]:
        """The distribution of the pixels' latents: gives a sample of it for each generator."""
        posterior = in_tiles_if_need_be(
            self._vae, lambda: self._vae.encode(pixels.to(self._device, self._vae.dtype)).latent_dist, concede
        )
        return partial(self._sample, posterior)

    def decode(self, latents: torch.Tensor, concede: Concede) -> Callable[[], Image.Image]:
        """Makes pixels of latents, and gives what makes the picture of the pixels, off the device.

        Raises:
            InvalidOutputError: the pixels are no numbers or all black, in full precision too.
        """
        latents = latents * self._std / self._config.scaling_factor + self._mean
        pixels = self._decode(latents, concede)
        if not _is_picture(pixels) and self._vae.dtype != torch.float32 and latents.isfinite().all():
            concede("decoded in full precision: half precision gave no picture")
            pixels = self._decode_precisely(latents, concede)
        if not _is_picture(pixels):
            raise InvalidOutputError(
                "The model has drawn an image that is black all over or no numbers; another seed, sampler "
                "or guidance scale may help."
            )
        return partial(self._develop, pixels.cpu())

    def _decode(self, latents: torch.Tensor, concede: Concede) -> torch.Tensor:
        pixels: torch.Tensor = in_tiles_if_need_be(
            self._vae,
            lambda: self._vae.decode(latents.to(self._vae.dtype), return_dict=False)[0],
            concede,
        )
        return pixels

    def _decode_precisely(self, latents: torch.Tensor, concede: Concede) -> torch.Tensor:
        dtype = self._vae.dtype
        self._vae.to(torch.float32)
        try:
            return self._decode(latents, concede)
        finally:
            self._vae.to(dtype)

    def _sample(self, posterior: Any, generator: torch.Generator) -> torch.Tensor:
        latents = posterior.sample(generator).to(self._dtype)
        sample: torch.Tensor = self._config.scaling_factor * (latents - self._mean) / self._std
        return sample

    def _statistic(self, values: list[float] | None, default: float) -> torch.Tensor | float:
        if values is None:
            return default
        return torch.tensor(values, device=self._device, dtype=self._dtype).view(1, -1, 1, 1)

    def _develop(self, pixels: torch.Tensor) -> Image.Image:
        image: Image.Image = self._pixels.postprocess(pixels)[0]
        return image


def _is_picture(pixels: torch.Tensor) -> bool:
    """Whether the pixels, -1 to 1, are numbers and not all black."""
    return bool(pixels.isfinite().all() and pixels.max() > _BLACK)
