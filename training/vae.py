"""Training of the VAE: 128 x 128 pixels to 16 x 16 latents with four channels, and back."""

import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional

from training.loop import train
from training.scene import SIZE, Scene, random_scene, training_triples

_CROP = 64
_KL_WEIGHT = 3e-4
_BATCH = 32
_CROPPED_STEPS_SHARE = 0.85


def new_vae() -> AutoencoderKL:
    """A VAE with random weights."""
    return AutoencoderKL(
        sample_size=SIZE,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 64),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=1,
    )


def to_tensor(scenes: list[Scene]) -> torch.Tensor:
    """The scenes' images as (batch, 3, height, width), -1 to 1."""
    pixels = np.stack([np.asarray(scene.draw()) for scene in scenes])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_vae(directory: Path, vae: AutoencoderKL, *, steps: int, seed: int) -> None:
    """Trains the VAE in place on random scenes, and sets its scaling factor for latents with unit variance.

    Most steps use crops, which are four times as fast; the last ones use whole images. Resumes from the
    checkpoint in `directory`, if there is one.
    """
    triples = training_triples()

    def loss_of(step: int) -> torch.Tensor:
        rng = random.Random(f"{seed}-{step}")
        torch.manual_seed(rng.getrandbits(32))
        whole = step >= _CROPPED_STEPS_SHARE * steps
        scenes = [random_scene(rng, triples) for _ in range(_BATCH // 4)]
        images = to_tensor(scenes)
        return _loss(vae, images if whole else _crops(images, rng))

    train(vae, loss_of, steps=steps, learning_rate=2e-3, checkpoint=directory / "vae.pt")
    vae.register_to_config(scaling_factor=round(1 / _latent_deviation(vae, triples), 5))


def reconstruction_error(vae: AutoencoderKL, images: torch.Tensor) -> float:
    """Mean absolute error of the reconstructed images, as a share of the pixels' range."""
    with torch.no_grad():
        reconstructed = vae.decode(vae.encode(images).latent_dist.mode()).sample
    return float((reconstructed.clamp(-1, 1) - images).abs().mean() / 2)


def _loss(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        latents = vae.encode(images).latent_dist
        reconstructed = vae.decode(latents.sample()).sample
    divergence = latents.kl().float().mean() / latents.mean[0].numel()
    loss: torch.Tensor = functional.l1_loss(reconstructed.float(), images) + _KL_WEIGHT * divergence
    return loss


def _crops(images: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Four crops of each image, aligned to the latents."""
    offsets = [rng.randrange(0, SIZE - _CROP + 1, 8) for _ in range(8)]
    corners = zip(offsets[:4], offsets[4:], strict=True)
    return torch.cat([images[:, :, y : y + _CROP, x : x + _CROP] for x, y in corners])


def _latent_deviation(vae: AutoencoderKL, triples: list[Scene]) -> float:
    rng = random.Random(0)
    images = to_tensor([random_scene(rng, triples) for _ in range(256)])
    with torch.no_grad():
        return float(
            torch.cat([vae.encode(batch).latent_dist.mode() for batch in torch.split(images, 32)]).std()
        )
