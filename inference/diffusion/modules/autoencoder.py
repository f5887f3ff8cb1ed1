"""The VAE: encodes images to latents and decodes latents to images, as diffusers' pipelines do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from inference.diffusion.modules.device_copy import copy_to_device, start_copy_to_cpu
from inference.diffusion.modules.linear_decoder import LinearDecoder
from inference.diffusion.modules.side_stream import Moment, SideStream
from inference.diffusion.modules.vae_tiling import RecordFallback, with_tiling_fallback
from inference.engine.errors import InvalidOutputError

_BLACK = 1 / 255 - 1
"""A pixel below this value, -1 to 1, rounds to black in 8 bits."""


class Autoencoder:
    """A Stable Diffusion pipeline's VAE.

    Processes one image at a time, so that an image does not depend on the others that finish with it, and
    memory does not depend on their number.
    """

    def __init__(self, pipeline: Any, vae: Any = None) -> None:
        """Takes the pipeline, and a VAE to use in place of its own; None uses its own."""
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

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The shape of the latents of an image of this size in pixels, (1, channels, height, width)."""
        return (1, self._config.latent_channels, height // self._factor, width // self._factor)

    def noise(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Standard normal noise of this shape, with the dtype and device of the latents."""
        noise = torch.randn(shape, generator=generator, dtype=self._dtype)
        return copy_to_device(noise, self._device)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """The image as (1, 3, height, width), -1 to 1, on the CPU."""
        pixels: torch.Tensor = self._pixels.preprocess(image)
        return pixels

    def mask(self, mask: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
        """The mask as (1, 1, height, width) of 0 and 1: in pixels, on the CPU; in latents, on the device."""
        pixel_mask = self._masks.preprocess(mask)
        size = (mask.height // self._factor, mask.width // self._factor)
        latent_mask = torch.nn.functional.interpolate(pixel_mask, size=size)
        return pixel_mask, copy_to_device(latent_mask.to(self._dtype), self._device)

    def encode(
        self, pixels: torch.Tensor, record_fallback: RecordFallback
    ) -> Callable[[torch.Generator], torch.Tensor]:
        """Encodes pixels to a latent distribution; returns a function that samples it with a generator."""
        posterior = with_tiling_fallback(
            self._vae,
            lambda: self._vae.encode(copy_to_device(pixels.to(self._vae.dtype), self._device)).latent_dist,
            record_fallback,
        )
        return partial(self._sample, posterior)

    def decode(
        self, latents: torch.Tensor, record_fallback: RecordFallback, stream: SideStream
    ) -> "DecodedImage":
        """Starts decoding latents; see `DecodedImage`.

        Args:
            latents: (1, channels, height, width).
            record_fallback: called with a description of each fallback.
            stream: runs the decoder beside the caller's stream.
        """
        with stream.running():
            unscaled = self._unscale(latents)
            pixels = self._decode(unscaled, record_fallback)
            return self._start_transfer(latents, unscaled, pixels, stream)

    def decode_in_float32(self, image: "DecodedImage", record_fallback: RecordFallback) -> "DecodedImage":
        """Decodes the image's latents in float32, and waits for the result.

        Raises:
            InvalidOutputError: that cannot help, because the VAE is in float32 or the latents are not finite.
        """
        if self._vae.dtype == torch.float32 or not image.unscaled.isfinite().all():
            raise InvalidOutputError("The generated image is black or not finite.")
        record_fallback("VAE decoded in float32: half precision gave an invalid image")
        pixels = self._decode_in_float32(image.unscaled, record_fallback)
        return self._start_transfer(image.latents, image.unscaled, pixels, SideStream(None))

    @cached_property
    def linear_decoder(self) -> LinearDecoder | None:
        """Approximates the decoder; fitted at the first use, by decoding one image of 32 x 32 latents.

        None if that does not fit in memory, or gives pixels that are not finite.
        """

        def decode(latents: torch.Tensor) -> torch.Tensor:
            unscaled = self._unscale(latents.to(self._device, self._dtype))
            pixels: torch.Tensor = self._vae.decode(unscaled.to(self._vae.dtype), return_dict=False)[0]
            return pixels

        try:
            return LinearDecoder.fit(self._config.latent_channels, decode)
        except torch.OutOfMemoryError:
            return None

    def _unscale(self, latents: torch.Tensor) -> torch.Tensor:
        unscaled: torch.Tensor = latents * self._std / self._config.scaling_factor + self._mean
        return unscaled

    def _decode(self, latents: torch.Tensor, record_fallback: RecordFallback) -> torch.Tensor:
        pixels: torch.Tensor = with_tiling_fallback(
            self._vae,
            lambda: self._vae.decode(latents.to(self._vae.dtype), return_dict=False)[0],
            record_fallback,
        )
        return pixels

    def _decode_in_float32(self, latents: torch.Tensor, record_fallback: RecordFallback) -> torch.Tensor:
        dtype = self._vae.dtype
        if latents.is_cuda:
            torch.cuda.synchronize()  # the side stream may still read the weights
        self._vae.to(torch.float32)
        try:
            return self._decode(latents, record_fallback)
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

    def _start_transfer(
        self, latents: torch.Tensor, unscaled: torch.Tensor, pixels: torch.Tensor, stream: SideStream
    ) -> "DecodedImage":
        """Checks and converts pixels on the device, and starts the copy of the result to the CPU."""
        is_valid = pixels.isfinite().all() & (pixels.max() > _BLACK)
        image = _to_8_bits(pixels[0])
        return DecodedImage(
            autoencoder=self,
            latents=latents,
            unscaled=unscaled,
            is_valid=start_copy_to_cpu(is_valid),
            pixels=start_copy_to_cpu(image),
            copied=stream.record(),
        )


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """An image that is decoded beside the denoising steps.

    Attributes:
        autoencoder: has decoded it; stays loaded meanwhile.
        latents: (1, channels, height, width), from the UNet.
        unscaled: the decoder's input.
        is_valid: (), whether the pixels are finite and not all black; on the CPU.
        pixels: (height, width, 3), 8 bits; on the CPU.
        copied: when `is_valid` and `pixels` may be read.
    """

    autoencoder: Autoencoder
    latents: torch.Tensor
    unscaled: torch.Tensor
    is_valid: torch.Tensor
    pixels: torch.Tensor
    copied: Moment

    def finish(self, record_fallback: RecordFallback) -> Callable[[], Image.Image]:
        """Waits for the copy, and returns a function that creates the image.

        Raises:
            InvalidOutputError: the pixels are not finite or all black, in float32 too.
        """
        self.copied.wait()
        finished = self
        if not self.is_valid:
            finished = self.autoencoder.decode_in_float32(self, record_fallback)
            if not finished.is_valid:
                raise InvalidOutputError("The generated image is black or not finite.")
        pixels = finished.pixels
        return lambda: Image.fromarray(pixels.numpy())


def _to_8_bits(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels of -1 to 1, (3, height, width), as 0 to 255, (height, width, 3); rounded as in diffusers."""
    denormalized = (pixels * 0.5 + 0.5).clamp(0, 1)
    return (denormalized.permute(1, 2, 0).float() * 255).round().to(torch.uint8).contiguous()
