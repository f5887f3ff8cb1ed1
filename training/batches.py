"""Training batches for the denoiser: latents of scenes, captions and noise."""

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
from training.tokenizer import MAX_TOKENS
from training.vae import to_tensor

_TRAINING_TIMESTEPS = 1000
NOISE_SCHEDULE = {
    "num_train_timesteps": _TRAINING_TIMESTEPS,
    "beta_start": 0.00085,
    "beta_end": 0.025,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}
"""Stable Diffusion's noise schedule with more noise at its end: 0.6 % of the image remains, not 7 %.

The scenes are flat: colours and positions are still visible in 7 %. The network would learn to read them
there and not in the caption, and generation, which starts from pure noise, would ignore the prompt.
"""
_BATCH_SIZE = 48

Denoise = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""Predicts velocities, (batch, 4, 16, 16).

Takes noisy latents (batch, 4, 16, 16), timesteps (batch,) and token ids (batch, 77).
"""


@dataclass(frozen=True, kw_only=True)
class TrainingBatch:
    """One batch.

    Attributes:
        scenes: indices of the scenes.
        noisy: latents with noise added, (batch, 4, 16, 16).
        timesteps: noise levels, (batch,).
        tokens: token ids of the captions, (batch, 77).
        velocity: the target, (batch, 4, 16, 16).
    """

    scenes: list[int]
    noisy: torch.Tensor
    timesteps: torch.Tensor
    tokens: torch.Tensor
    velocity: torch.Tensor

    def loss(self, denoise: Denoise) -> torch.Tensor:
        """The mean squared error of the predicted velocities."""
        with torch.autocast("cpu", torch.bfloat16):
            velocity = denoise(self.noisy, self.timesteps, self.tokens)
        return functional.mse_loss(velocity.float(), self.velocity)


class TrainingBatches:
    """Batches of scenes: encoded once, with new captions and noise in every batch."""

    def __init__(
        self,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        scenes: list[Scene],
        *,
        seed: int,
        empty_caption_share: float = 0.1,
    ) -> None:
        """Encodes the scenes.

        Args:
            vae: encodes the scenes' images.
            tokenizer: tokenizes the captions.
            scenes: the training set.
            seed: of all batches.
            empty_caption_share: share of the samples with an empty caption, for classifier-free guidance.
        """
        self._empty_caption_share = empty_caption_share
        self._tokenizer = tokenizer
        self._scenes = scenes
        self._seed = seed
        self._latents = _encode(vae, scenes)
        self._scheduler = DDPMScheduler(**NOISE_SCHEDULE)

    def batch(self, step: int) -> TrainingBatch:
        """The batch of this step, always the same for the same step."""
        rng = random.Random(f"{self._seed}-{step}")
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        chosen = rng.sample(range(len(self._scenes)), _BATCH_SIZE)
        tokens = self._tokenize([self._caption(self._scenes[index], rng) for index in chosen])
        clean = self._latents[chosen]
        noise = torch.randn(clean.shape, generator=generator)
        timesteps = torch.randint(0, _TRAINING_TIMESTEPS, (_BATCH_SIZE,), generator=generator)
        return TrainingBatch(
            scenes=chosen,
            noisy=self._scheduler.add_noise(clean, noise, timesteps),
            timesteps=timesteps,
            tokens=tokens,
            velocity=self._scheduler.get_velocity(clean, noise, timesteps),
        )

    def loss(self, denoise: Denoise, step: int) -> torch.Tensor:
        """The loss of this step's batch; see `TrainingBatch.loss`."""
        return self.batch(step).loss(denoise)

    def _caption(self, scene: Scene, rng: random.Random) -> str:
        return "" if rng.random() < self._empty_caption_share else random_caption(scene, rng)

    def _tokenize(self, captions: list[str]) -> torch.Tensor:
        encoded = self._tokenizer(captions, padding="max_length", max_length=MAX_TOKENS, return_tensors="pt")
        tokens: torch.Tensor = encoded.input_ids
        return tokens


def _encode(vae: AutoencoderKL, scenes: list[Scene]) -> torch.Tensor:
    """The scenes' latents with unit variance, (scenes, 4, 16, 16)."""
    batches = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in tqdm(range(0, len(scenes), _BATCH_SIZE), desc="latents", mininterval=5):
            images = to_tensor(scenes[start : start + _BATCH_SIZE])
            batches.append(vae.encode(images).latent_dist.mode().float() * vae.config.scaling_factor)
    return torch.cat(batches)
