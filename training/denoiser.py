"""The text encoder and the UNet, trained together on latents and captions."""

import random
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.caption import random_caption
from training.loop import train
from training.scene import Scene, all_triples, random_scene
from training.tokenizer import TOKENS
from training.vae import to_tensor

_TEXT_WIDTH = 128
_BATCH = 64
_UNCONDITIONAL_SHARE = 0.1
_NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


class Denoiser(nn.Module):
    """The text encoder and the UNet as one thing to train."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.text_encoder = _text_encoder(tokenizer)
        self.unet = _unet()

    def forward(self, noisy: torch.Tensor, steps: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The velocity: (batch, 4, 16, 16) of noisy latents, (batch,) of steps, (batch, 77) of tokens."""
        text = self.text_encoder(tokens).last_hidden_state
        velocity: torch.Tensor = self.unet(noisy, steps, text).sample
        return velocity


def scheduler() -> DDIMScheduler:
    """The model's own sampler; its configuration is what every other sampler starts from."""
    return DDIMScheduler(
        **_NOISE,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="trailing",
    )


def train_denoiser(
    directory: Path,
    vae: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    *,
    steps: int,
    pictures: int,
    seed: int,
) -> Denoiser:
    """Trains on `pictures` random pictures, held-out triples left out, with fresh captions every time."""
    torch.manual_seed(seed)
    denoiser = Denoiser(tokenizer)
    scenes = _scenes(pictures, seed)
    latents = _encode(vae, scenes)
    noise_schedule = DDPMScheduler(**_NOISE)

    def loss_of(step: int) -> torch.Tensor:
        rng = random.Random(f"{seed}-{step}")
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        chosen = rng.sample(range(pictures), _BATCH)
        captions = [
            "" if rng.random() < _UNCONDITIONAL_SHARE else random_caption(scenes[index], rng)
            for index in chosen
        ]
        tokens = tokenizer(captions, padding="max_length", max_length=TOKENS, return_tensors="pt").input_ids
        clean = latents[chosen]
        noise = torch.randn(clean.shape, generator=generator)
        moments = torch.randint(0, noise_schedule.config.num_train_timesteps, (_BATCH,), generator=generator)
        noisy = noise_schedule.add_noise(clean, noise, moments)
        with torch.autocast("cpu", torch.bfloat16):
            velocity = denoiser(noisy, moments, tokens)
        return functional.mse_loss(velocity.float(), noise_schedule.get_velocity(clean, noise, moments))

    train(denoiser, loss_of, steps=steps, learning_rate=1e-3, checkpoint=directory / "denoiser.pt")
    return denoiser


def _scenes(count: int, seed: int) -> list[Scene]:
    rng = random.Random(seed)
    triples = [triple for triple in all_triples() if not triple.held_out]
    return [random_scene(rng, triples) for _ in range(count)]


def _encode(vae: AutoencoderKL, scenes: list[Scene]) -> torch.Tensor:
    """The scenes' latents, of unit variance: (scenes, 4, 16, 16)."""
    parts = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in tqdm(range(0, len(scenes), _BATCH), desc="latents", mininterval=5):
            pictures = to_tensor(scenes[start : start + _BATCH])
            parts.append(vae.encode(pictures).latent_dist.mode().float() * vae.config.scaling_factor)
    return torch.cat(parts)


def _text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            hidden_size=_TEXT_WIDTH,
            intermediate_size=2 * _TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=TOKENS,
            projection_dim=_TEXT_WIDTH,
        )
    )


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(48, 96, 160),
        layers_per_block=1,
        cross_attention_dim=_TEXT_WIDTH,
        attention_head_dim=(2, 4, 4),
        norm_num_groups=4,
    )
