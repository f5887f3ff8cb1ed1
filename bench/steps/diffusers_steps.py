"""The same work with diffusers' scheduler objects, one image after another, as a pipeline does it."""

import time
from collections.abc import Sequence
from copy import deepcopy
from inspect import signature
from typing import Any

import torch

from inference.diffusion.modules.noise_schedulers import NoiseSchedulers

_GUIDANCE_SCALE = 7.5


def time_schedulers(pipeline: Any, samplers: Sequence[str], *, steps: int, size: int) -> list[float]:
    """The seconds of each step of these images: scaling, guidance and scheduler steps, without a UNet.

    Args:
        pipeline: a Stable Diffusion pipeline.
        samplers: canonical names, one for each image.
        steps: of each image.
        size: width and height in pixels.
    """
    schedulers = NoiseSchedulers(pipeline.scheduler.config)
    images = [_Image(pipeline, schedulers, each, index, steps, size) for index, each in enumerate(samplers)]
    shape = (2, 4, size // pipeline.vae_scale_factor, size // pipeline.vae_scale_factor)
    prediction = torch.full(shape, 0.1, device=pipeline.device, dtype=pipeline.unet.dtype)
    seconds = []
    with torch.inference_mode():
        for step in range(min(len(each.timesteps) for each in images)):
            started_at = time.perf_counter()
            for image in images:
                image.sample(step)
            for image in images:
                image.advance(step, prediction)
            seconds.append(time.perf_counter() - started_at)
    return seconds


class _Image:
    """One image, its scheduler and its generator."""

    def __init__(
        self, pipeline: Any, schedulers: NoiseSchedulers, sampler: str, seed: int, steps: int, size: int
    ) -> None:
        schedule = schedulers.create(sampler, steps=steps, strength=None)
        side = size // pipeline.vae_scale_factor
        self.timesteps = schedule.timesteps
        self._scheduler = deepcopy(schedule.scheduler)
        self._latents = torch.randn(1, 4, side, side, device=pipeline.device, dtype=pipeline.unet.dtype)
        options = {"generator": torch.Generator().manual_seed(seed), "eta": 0.0}
        accepted = signature(self._scheduler.step).parameters
        self._options = {name: value for name, value in options.items() if name in accepted}

    def sample(self, step: int) -> torch.Tensor:
        """The UNet's input, (2, 4, height, width)."""
        latents = torch.cat([self._latents] * 2)
        scaled: torch.Tensor = self._scheduler.scale_model_input(latents, self.timesteps[step])
        return scaled

    def advance(self, step: int, prediction: torch.Tensor) -> None:
        """Classifier-free guidance, and the scheduler's step."""
        negative, positive = prediction.chunk(2)
        combined = negative + _GUIDANCE_SCALE * (positive - negative)
        self._latents = self._scheduler.step(
            combined, self.timesteps[step], self._latents, **self._options, return_dict=False
        )[0]
