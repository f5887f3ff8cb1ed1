"""Tiny Stable Diffusion pipelines with random weights and the demo model's tokenizer."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

_UNET: dict[str, Any] = {
    "sample_size": 8,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": (2, 4),
}


def sd(demo_model: Path, **scheduler: Any) -> StableDiffusionPipeline:
    """Stable Diffusion 1.x, with these scheduler settings."""
    return StableDiffusionPipeline(
        **_components(demo_model, in_channels=4) | {"scheduler": _scheduler(**scheduler)}
    )


def sdxl(demo_model: Path) -> StableDiffusionXLPipeline:
    """Stable Diffusion XL."""
    torch.manual_seed(3)
    tokenizer, text = _text(demo_model)
    return StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            **_UNET,
            cross_attention_dim=64,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=32 + 6 * 8,
        ),
        scheduler=_scheduler(),
        force_zeros_for_empty_prompt=False,
    )


def inpainting(demo_model: Path) -> StableDiffusionInpaintPipeline:
    """Stable Diffusion 1.x with an inpainting UNet."""
    return StableDiffusionInpaintPipeline(**_components(demo_model, in_channels=9))


def _components(demo_model: Path, *, in_channels: int) -> dict[str, Any]:
    torch.manual_seed(4)
    tokenizer, text = _text(demo_model)
    return {
        "vae": _vae(),
        "text_encoder": CLIPTextModel(text),
        "tokenizer": tokenizer,
        "unet": UNet2DConditionModel(**_UNET, in_channels=in_channels, cross_attention_dim=32),
        "scheduler": _scheduler(),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def _text(demo_model: Path) -> tuple[CLIPTokenizer, CLIPTextConfig]:
    tokenizer = CLIPTokenizer.from_pretrained(demo_model / "tokenizer", local_files_only=True)
    return tokenizer, CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=32,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        norm_num_groups=4,
    )


def _scheduler(**scheduler: Any) -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1, **scheduler)
