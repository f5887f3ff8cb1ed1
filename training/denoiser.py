"""Training of the text encoder and the UNet together, on latents and captions."""

from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.batches import NOISE_SCHEDULE, TrainingBatches
from training.loop import train
from training.tokenizer import MAX_TOKENS

_TEXT_WIDTH = 128


class Denoiser(nn.Module):
    """The text encoder and the UNet as one module."""

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = unet

    @classmethod
    def new(cls, tokenizer: CLIPTokenizer) -> "Denoiser":
        """A denoiser with random weights."""
        return cls(_text_encoder(tokenizer), _unet())

    def forward(self, noisy: torch.Tensor, timesteps: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """The predicted velocity; see `training.batches.Denoise`."""
        text = self.text_encoder(tokens).last_hidden_state
        velocity: torch.Tensor = self.unet(noisy, timesteps, text).sample
        return velocity


def scheduler() -> DDIMScheduler:
    """The scheduler that is saved with the model; other samplers take over its configuration."""
    return DDIMScheduler(
        **NOISE_SCHEDULE,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        timestep_spacing="trailing",
    )


def train_denoiser(directory: Path, denoiser: Denoiser, batches: TrainingBatches, *, steps: int) -> None:
    """Trains the denoiser in place; resumes from the checkpoint in `directory`, if there is one."""
    train(
        denoiser,
        lambda step: batches.loss(denoiser, step),
        steps=steps,
        learning_rate=1e-3,
        checkpoint=directory / "denoiser.pt",
    )


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
            max_position_embeddings=MAX_TOKENS,
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
