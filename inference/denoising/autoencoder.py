"""Between pictures and latents: the VAE, and diffusers' own treatment of pixels."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from inference.engine import InvalidOutputError


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
        self._check_safety = getattr(pipeline, "run_safety_checker", _check_nothing)
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

    def encode(self, pixels: torch.Tensor) -> Callable[[torch.Generator], torch.Tensor]:
        """The distribution of the pixels' latents: gives a sample of it for each generator."""
        posterior = self._vae.encode(pixels.to(self._device, self._vae.dtype)).latent_dist
        return partial(self._sample, posterior)

    def decode(self, latents: torch.Tensor) -> Callable[[], Image.Image]:
        """Makes pixels of latents, and gives what makes the picture of the pixels, off the device.

        What it gives raises InvalidOutputError where the pixels are no numbers.
        """
        latents = latents * self._std / self._config.scaling_factor + self._mean
        pixels = self._vae.decode(latents.to(self._vae.dtype), return_dict=False)[0]
        pixels, is_unsafe = self._check_safety(pixels, self._device, self._dtype)
        return partial(self._develop, pixels.cpu(), is_unsafe)

    def _sample(self, posterior: Any, generator: torch.Generator) -> torch.Tensor:
        latents = posterior.sample(generator).to(self._dtype)
        sample: torch.Tensor = self._config.scaling_factor * (latents - self._mean) / self._std
        return sample

    def _statistic(self, values: list[float] | None, default: float) -> torch.Tensor | float:
        if values is None:
            return default
        return torch.tensor(values, device=self._device, dtype=self._dtype).view(1, -1, 1, 1)

    def _develop(self, pixels: torch.Tensor, is_unsafe: list[bool] | None) -> Image.Image:
        if not pixels.isfinite().all():
            raise InvalidOutputError(
                "The model has drawn an image that is not made of numbers; another seed, sampler or guidance "
                "scale may help."
            )
        shown = None if is_unsafe is None else [not unsafe for unsafe in is_unsafe]
        image: Image.Image = self._pixels.postprocess(pixels, do_denormalize=shown)[0]
        return image


def _check_nothing(pixels: torch.Tensor, *_where: Any) -> tuple[torch.Tensor, None]:
    return pixels, None
