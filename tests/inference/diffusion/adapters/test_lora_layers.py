"""The names of layers in LoRA files, for the layers of the published models."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from inference.diffusion.adapters.ldm_names import ldm_name
from inference.diffusion.adapters.lora_layers import LoraLayers, component_of

SD: dict[str, Any] = {"cross_attention_dim": 768}
SDXL: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
CONFIGS = {"SD": SD, "SDXL": SDXL}


def pipeline_of(config: dict[str, Any]) -> Any:
    """The components of a published model, without weights."""
    text = CLIPTextConfig(num_hidden_layers=2)
    with torch.device("meta"):
        components: dict[str, Any] = {
            "unet": UNet2DConditionModel(**config),
            "text_encoder": CLIPTextModel(text),
        }
        if config is SDXL:
            components["text_encoder_2"] = CLIPTextModelWithProjection(text)
    return SimpleNamespace(**components)


@pytest.fixture(scope="module")
def sd() -> LoraLayers:
    return LoraLayers(pipeline_of(SD))


@pytest.fixture(scope="module")
def sdxl() -> LoraLayers:
    return LoraLayers(pipeline_of(SDXL))


@pytest.mark.parametrize("family", CONFIGS)
def test_the_original_name_of_every_layer_is_the_one_that_diffusers_converts(family: str) -> None:
    unet = pipeline_of(CONFIGS[family]).unet
    layers = [
        name
        for name, module in unet.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d | nn.GroupNorm | nn.LayerNorm)
    ]
    blocks_with_attention = {name.split(".attentions.")[0] for name in layers if ".attentions." in name}
    checkpoint: dict[str, Any] = {}
    for name in layers:
        original = ldm_name(
            name, layers_per_block=2, has_attention=".".join(name.split(".")[:2]) in blocks_with_attention
        )
        for part in ("weight", "bias"):
            checkpoint[f"model.diffusion_model.{original}.{part}"] = f"{name}.{part}"
    converted = convert_ldm_unet_checkpoint(checkpoint, unet.config)
    assert converted == {name: name for name in checkpoint.values()}


ATTENTION = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
TO_OUT = "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0"
TEXT = "encoder.layers.0.self_attn.q_proj"
NAMES = {
    # kohya's trainer, on the UNet of diffusers and on that of SDXL's own code
    "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q": ("unet", ATTENTION),
    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q": ("unet", ATTENTION),
    "lora_unet_middle_block_1_transformer_blocks_0_attn2_to_out_0": ("unet", TO_OUT),
    "lora_unet_input_blocks_3_0_op": ("unet", "down_blocks.0.downsamplers.0.conv"),
    "lora_unet_input_blocks_4_0_skip_connection": ("unet", "down_blocks.1.resnets.0.conv_shortcut"),
    "lora_unet_output_blocks_2_2_conv": ("unet", "up_blocks.0.upsamplers.0.conv"),
    "lora_unet_output_blocks_8_0_emb_layers_1": ("unet", "up_blocks.2.resnets.2.time_emb_proj"),
    "lora_unet_label_emb_0_2": ("unet", "add_embedding.linear_2"),
    "lora_unet_time_embed_0": ("unet", "time_embedding.linear_1"),
    "lora_unet_input_blocks_0_0": ("unet", "conv_in"),
    "lora_unet_out_2": ("unet", "conv_out"),
    "lora_te1_text_model_encoder_layers_0_self_attn_q_proj": ("text_encoder", TEXT),
    "lora_te2_text_model_encoder_layers_0_self_attn_q_proj": ("text_encoder_2", f"text_model.{TEXT}"),
    "lora_te2_text_projection": ("text_encoder_2", "text_projection"),
    "lora_te1_text_model_embeddings_token_embedding": ("text_encoder", "embeddings.token_embedding"),
    # OneTrainer
    "lora_unet_add_embedding_linear_1": ("unet", "add_embedding.linear_1"),
    "lora_unet_time_embedding_linear_2": ("unet", "time_embedding.linear_2"),
    "lora_unet_down_blocks_0_resnets_0_time_emb_proj": ("unet", "down_blocks.0.resnets.0.time_emb_proj"),
    "clip_g.text_model.encoder.layers.0.self_attn.q_proj": ("text_encoder_2", f"text_model.{TEXT}"),
    # ComfyUI
    "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q": ("unet", ATTENTION),
    "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj": ("text_encoder", TEXT),
    "clip_g.transformer.text_model.encoder.layers.0.self_attn.q_proj": (
        "text_encoder_2",
        f"text_model.{TEXT}",
    ),
    # diffusers, before and with peft
    f"unet.{ATTENTION}": ("unet", ATTENTION),
    "unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_out": ("unet", TO_OUT),
    f"text_encoder.text_model.{TEXT}": ("text_encoder", TEXT),
    "text_encoder.text_model.encoder.layers.0.self_attn.to_q": ("text_encoder", TEXT),
    f"text_encoder_2.text_model.{TEXT}": ("text_encoder_2", f"text_model.{TEXT}"),
    # peft, and without a prefix
    f"base_model.model.{ATTENTION}": ("unet", ATTENTION),
    f"base_model.model.text_encoder.text_model.{TEXT}": ("text_encoder", TEXT),
    f"base_model.model.text_model.{TEXT}": ("text_encoder", TEXT),
    ATTENTION: ("unet", ATTENTION),
    f"text_model.{TEXT}": ("text_encoder", TEXT),
}


@pytest.mark.parametrize("name", NAMES)
def test_published_names_are_found(sdxl: LoraLayers, name: str) -> None:
    layer = sdxl.find(name)
    assert layer is not None
    assert (layer.component, layer.name) == NAMES[name]


def test_the_only_text_encoder_of_stable_diffusion_1_has_kohyas_short_prefix(sd: LoraLayers) -> None:
    layer = sd.find("lora_te_text_model_encoder_layers_1_mlp_fc2")
    assert layer is not None
    assert (layer.component, layer.name) == ("text_encoder", "encoder.layers.1.mlp.fc2")


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("lora_te2_text_model_encoder_layers_0_mlp_fc1", "text_encoder_2"),
        ("unet.conv_in", "unet"),
        ("base_model.model.text_encoder.text_model.x", "text_encoder"),
        ("transformer.single_blocks.0", None),
        ("lora_transformer_x", None),
    ],
)
def test_a_prefix_names_the_component(sd: LoraLayers, name: str, component: str | None) -> None:
    assert component_of(name) == component
    assert sd.find("lora_te2_text_model_encoder_layers_0_mlp_fc1") is None
