"""Configurations inferred from the tensor shapes of the official models, in full size."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from contract.family import Family
from inference.models.architecture import clip_config, open_clip_config, unet_config, vae_config
from inference.models.family import (
    CLIP,
    OPEN_CLIP,
    REFINER_OPEN_CLIP,
    XL_OPEN_CLIP,
    model_type_of_single_file,
)
from inference.models.safetensors_file import Header, Shapes
from tests.inference.models import ldm_layout

SD_BLOCKS: dict[str, Any] = {
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "block_out_channels": (320, 640, 1280, 1280),
}
UNETS: dict[str, dict[str, Any]] = {
    "sd1": SD_BLOCKS | {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": SD_BLOCKS
    | {
        "sample_size": 96,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "sdxl": {
        "sample_size": 128,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "block_out_channels": (320, 640, 1280),
        "transformer_layers_per_block": (1, 2, 10),
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    "sdxl_refiner": {
        "sample_size": 128,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "block_out_channels": (384, 768, 1536, 1536),
        "transformer_layers_per_block": (1, 4, 4, 4),
        "cross_attention_dim": 1280,
        "attention_head_dim": (6, 12, 24, 24),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2560,
    },
}
PARAMETERS = {"sd1": 859_520_964, "sdxl": 2_567_463_684}
VAE_PARAMETERS = 83_653_863


def text(width: int, intermediate_size: int, layers: int, act: str, projection: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=intermediate_size,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        hidden_act=act,
        projection_dim=projection,
    )


def shapes_of(family: str) -> Shapes:
    """The tensor shapes of a single file of the family; the modules are on the meta device."""
    big_g = text(1280, 5120, 32, "gelu", 1280)
    with torch.device("meta"):
        pipeline = SimpleNamespace(
            unet=UNet2DConditionModel(**UNETS[family]),
            vae=AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                block_out_channels=(128, 256, 512, 512),
                layers_per_block=2,
                latent_channels=4,
            ),
            text_encoder={
                "sd1": lambda: CLIPTextModel(text(768, 3072, 12, "quick_gelu", 768)),
                "sd2": lambda: CLIPTextModel(text(1024, 4096, 23, "gelu", 1024)),
                "sdxl": lambda: CLIPTextModel(text(768, 3072, 12, "quick_gelu", 768)),
                "sdxl_refiner": lambda: None,
            }[family](),
            text_encoder_2=CLIPTextModelWithProjection(big_g) if family.startswith("sdxl") else None,
        )
    return {name: tuple(tensor.shape) for name, tensor in ldm_layout.tensors_of(pipeline).items()}


@pytest.mark.parametrize("family", list(UNETS))
def test_unet_and_vae_configs_are_inferred(family: str) -> None:
    shapes = shapes_of(family)
    model_type = model_type_of_single_file(Header(shapes, {}))
    assert model_type.family is Family(family)
    unet = unet_config(shapes, model_type, 1280 if family.startswith("sdxl") else None)
    expected = {"transformer_layers_per_block": (1, 1, 1, 1), "layers_per_block": 2, "in_channels": 4}
    expected |= UNETS[family]
    assert {k: tuple(unet[k]) if isinstance(unet[k], list) else unet[k] for k in expected} == expected
    with torch.device("meta"):
        built = UNet2DConditionModel.from_config(unet)
        vae = AutoencoderKL.from_config(vae_config(shapes, model_type))
    assert sum(p.numel() for p in built.parameters()) == PARAMETERS.get(family, built.num_parameters())
    assert sum(p.numel() for p in vae.parameters()) == VAE_PARAMETERS


@pytest.mark.parametrize(
    ("family", "prefix", "expected"),
    [
        ("sd2", OPEN_CLIP, {"hidden_size": 1024, "num_hidden_layers": 23, "num_attention_heads": 16}),
        ("sdxl", XL_OPEN_CLIP, {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 20}),
        ("sdxl_refiner", REFINER_OPEN_CLIP, {"intermediate_size": 5120, "projection_dim": 1280}),
    ],
)
def test_open_clip_configs_are_inferred(family: str, prefix: str, expected: dict[str, int]) -> None:
    config = open_clip_config(shapes_of(family), prefix, skipped_layers=1 if family == "sd2" else 0)
    assert {name: config[name] for name in expected} == expected


def test_the_clip_config_is_inferred() -> None:
    config = clip_config(shapes_of("sd1"), CLIP)
    expected = {
        "vocab_size": 49408,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "max_position_embeddings": 77,
        "hidden_act": "quick_gelu",
    }
    assert {name: config[name] for name in expected} == expected
