"""Full-size models with random weights, which are as fast as trained ones."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

_TOKENIZER = Path(__file__).parents[1] / "inference" / "demo_model" / "tokenizer"
_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
_CLIP_L = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
}
_CLIP_G = {
    "vocab_size": 49408,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
    "hidden_act": "gelu",
}


def random_model(name: str, directory: Path) -> Path:
    """A diffusers directory with half-precision weights, created if it does not exist.

    Args:
        name: `sd15` or `sdxl`.
        directory: parent of the model's directory.
    """
    target = directory / name
    if not (target / "model_index.json").exists():
        torch.manual_seed(0)
        pipeline = random_pipeline(name, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        pipeline.save_pretrained(target)
    return target


def random_pipeline(name: str, device: torch.device) -> Any:
    """A pipeline with half-precision weights; see `random_model`.

    Args:
        name: see `random_model`.
        device: of the weights; `meta` has none.
    """
    scheduler = EulerDiscreteScheduler(**_SCHEDULE)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        with device:
            return {"sd15": _sd15, "sdxl": _sdxl}[name](scheduler)
    finally:
        torch.set_default_dtype(before)


def _sd15(scheduler: Any) -> Any:
    return StableDiffusionPipeline(
        vae=_vae(scaling_factor=0.18215),
        text_encoder=CLIPTextModel(CLIPTextConfig(**_CLIP_L)),
        tokenizer=CLIPTokenizer.from_pretrained(_TOKENIZER),
        unet=UNet2DConditionModel(
            sample_size=64,
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            cross_attention_dim=768,
            attention_head_dim=8,
        ),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl(scheduler: Any) -> Any:
    tokenizer = CLIPTokenizer.from_pretrained(_TOKENIZER)
    return StableDiffusionXLPipeline(
        vae=_vae(scaling_factor=0.13025, force_upcast=True),
        text_encoder=CLIPTextModel(CLIPTextConfig(**_CLIP_L)),
        text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**_CLIP_G)),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=128,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(320, 640, 1280),
            layers_per_block=2,
            transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ),
        scheduler=scheduler,
    )


def _vae(**settings: Any) -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        **settings,
    )
