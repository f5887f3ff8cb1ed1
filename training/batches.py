"""What a denoiser learns from: latents of pictures, captions, noise."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, DDPMScheduler
from torch.nn import functional
from tqdm import tqdm
from transformers import CLIPTokenizer

from training.caption import random_caption
from training.scene import Scene
from training.tokenizer import TOKENS
from training.vae import to_tensor

_TIME_STEPS = 1000
NOISE = {
    "num_train_timesteps": _TIME_STEPS,
    "beta_start": 0.00085,
    "beta_end": 0.025,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}
"""As Stable Diffusion's, but ending noisier: 0.6 % of the picture is left at the last step instead of 7 %.

These pictures are flat. Their colours and places show through seven per cent, and the network would learn
them from there instead of from the caption, and have nothing to go by when it starts from noise alone.
"""
_BATCH = 48

Denoise = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Noisy latents (batch, 4, 16, 16), time steps (batch,) and tokens (batch, 77) to velocities."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One batch.

    Attributes:
        scenes: which ones, by number.
        noisy: their latents under noise, (batch, 4, 16, 16).
        moments: the time steps of the noise, (batch,).
        tokens: of their captions, (batch, 77).
        velocity: what is to be found, (batch, 4, 16, 16).
    """

    scenes: list[int]
    noisy: torch.Tensor
    moments: torch.Tensor
    tokens: torch.Tensor
    velocity: torch.Tensor

    def loss(self, denoise: Denoise) -> torch.Tensor:
        """The mean squared error of the velocities."""
        with torch.autocast("cpu", torch.bfloat16):
            velocity = denoise(self.noisy, self.moments, self.tokens)
        return functional.mse_loss(velocity.float(), self.velocity)


class Lessons:
    """Pictures that are encoded once, and described and noised afresh every time."""

    def __init__(
        self,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        scenes: list[Scene],
        *,
        seed: int,
        silent_share: float = 0.1,
    ) -> None:
        """Encodes the scenes.

        Args:
            vae: encodes them.
            tokenizer: of the captions.
            scenes: what there is to learn from.
            seed: decides every batch.
            silent_share: of the pictures, which go without a caption: that is what guidance compares with.
        """
        self._silent_share = silent_share
        self._tokenizer = tokenizer
        self._scenes = scenes
        self._seed = seed
        self._latents = _encode(vae, scenes)
        self._schedule = DDPMScheduler(**NOISE)

    def lesson(self, step: int) -> Lesson:
        """What is learned at step number `step`, which decides it."""
        rng = random.Random(f"{self._seed}-{step}")
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        chosen = rng.sample(range(len(self._scenes)), _BATCH)
        tokens = self._tokens([self._caption(self._scenes[index], rng) for index in chosen])
        clean = self._latents[chosen]
        noise = torch.randn(clean.shape, generator=generator)
        moments = torch.randint(0, _TIME_STEPS, (_BATCH,), generator=generator)
        return Lesson(
            scenes=chosen,
            noisy=self._schedule.add_noise(clean, noise, moments),
            moments=moments,
            tokens=tokens,
            velocity=self._schedule.get_velocity(clean, noise, moments),
        )

    def loss(self, denoise: Denoise, step: int) -> torch.Tensor:
        """The mean squared error of the velocities at step number `step`."""
        return self.lesson(step).loss(denoise)

    def _caption(self, scene: Scene, rng: random.Random) -> str:
        return "" if rng.random() < self._silent_share else random_caption(scene, rng)

    def _tokens(self, captions: list[str]) -> torch.Tensor:
        encoded = self._tokenizer(captions, padding="max_length", max_length=TOKENS, return_tensors="pt")
        tokens: torch.Tensor = encoded.input_ids
        return tokens


def _encode(vae: AutoencoderKL, scenes: list[Scene]) -> torch.Tensor:
    """The scenes' latents, of unit variance: (scenes, 4, 16, 16)."""
    parts = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in tqdm(range(0, len(scenes), _BATCH), desc="latents", mininterval=5):
            pictures = to_tensor(scenes[start : start + _BATCH])
            parts.append(vae.encode(pictures).latent_dist.mode().float() * vae.config.scaling_factor)
    return torch.cat(parts)
