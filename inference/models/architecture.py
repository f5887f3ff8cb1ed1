"""Configurations of the components in a single file: the family's constants, and sizes from tensor shapes."""

import re
from typing import Any

from contract.family import Family
from inference.models.family import UNET, ModelType
from inference.models.safetensors_file import Shapes

Config = dict[str, Any]
VAE = "first_stage_model."
_ATTENTION_HEAD_DIM = 64
"""Channels of an attention head in every model but the UNet of SD 1, which has eight heads at any width."""

_PIPELINES = {
    (Family.SD1, 4): "StableDiffusionPipeline",
    (Family.SD1, 9): "StableDiffusionInpaintPipeline",
    (Family.SD2, 4): "StableDiffusionPipeline",
    (Family.SD2, 9): "StableDiffusionInpaintPipeline",
    (Family.SDXL, 4): "StableDiffusionXLPipeline",
    (Family.SDXL, 9): "StableDiffusionXLInpaintPipeline",
    (Family.SDXL_REFINER, 4): "StableDiffusionXLImg2ImgPipeline",
}
_SAMPLE_SIZES = {Family.SD1: 64, Family.SD2: 96, Family.SDXL: 128, Family.SDXL_REFINER: 128}
"""Width and height of the latents at the family's training size."""


def pipeline_class(model_type: ModelType) -> str | None:
    """The name of the pipeline class in diffusers; None for unsupported types."""
    return _PIPELINES.get((model_type.family, model_type.in_channels))


def unet_config(shapes: Shapes, model_type: ModelType, pooled_width: int | None) -> Config:
    """The UNet's config.

    Args:
        shapes: of the tensors in the file.
        model_type: of the model in the file.
        pooled_width: width of the pooled text embedding, which only SDXL has.
    """
    own = _below(shapes, UNET)
    blocks = _down_blocks(own)
    channels = [block[0][0] for block in blocks]
    depths = [block[0][1] for block in blocks]
    mid_depth = _count(own, r"middle_block\.1\.transformer_blocks\.(\d+)\.")
    config: Config = {
        "_class_name": "UNet2DConditionModel",
        "sample_size": _SAMPLE_SIZES[model_type.family],
        "in_channels": model_type.in_channels,
        "out_channels": own["out.2.weight"][0],
        "block_out_channels": channels,
        "layers_per_block": len(blocks[0]),
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)],
        "transformer_layers_per_block": [
            *(depth or 1 for depth in depths[:-1]),
            mid_depth,  # the mid block has the depth of the last entry
        ],
        "cross_attention_dim": own["middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1],
        "use_linear_projection": len(own["middle_block.1.proj_in.weight"]) == 2,
        "attention_head_dim": 8,
    }
    if model_type.family is not Family.SD1:
        config["attention_head_dim"] = [_heads(width) for width in channels]
    if pooled_width is not None:
        width = own["label_emb.0.0.weight"][1]
        time_ids = 5 if model_type.family is Family.SDXL_REFINER else 6
        config |= {
            "addition_embed_type": "text_time",
            "projection_class_embeddings_input_dim": width,
            "addition_time_embed_dim": (width - pooled_width) // time_ids,
        }
    return config


def vae_config(shapes: Shapes, model_type: ModelType) -> Config:
    """The VAE's config."""
    own = _below(shapes, VAE)
    count = _count(own, r"encoder\.down\.(\d+)\.")
    return {
        "_class_name": "AutoencoderKL",
        "block_out_channels": [own[f"encoder.down.{i}.block.0.conv1.weight"][0] for i in range(count)],
        "layers_per_block": _count(own, r"encoder\.down\.0\.block\.(\d+)\."),
        "down_block_types": ["DownEncoderBlock2D"] * count,
        "up_block_types": ["UpDecoderBlock2D"] * count,
        "latent_channels": own["decoder.conv_in.weight"][1],
    } | vae_settings(model_type)


def vae_settings(model_type: ModelType) -> Config:
    """The settings that all VAEs of the family share."""
    is_sdxl = model_type.family in (Family.SDXL, Family.SDXL_REFINER)
    return {
        "sample_size": _SAMPLE_SIZES[model_type.family] * 8,
        "scaling_factor": 0.13025 if is_sdxl else 0.18215,
        "force_upcast": is_sdxl,
    }


def clip_config(shapes: Shapes, prefix: str) -> Config:
    """The config of a text encoder with the tensor names of OpenAI's CLIP."""
    own = _below(shapes, f"{prefix}text_model.") or _below(shapes, prefix)  # older files lack `text_model.`
    vocab_size, width = own["embeddings.token_embedding.weight"]
    return _text_config(
        vocab_size=vocab_size,
        width=width,
        intermediate_size=own["encoder.layers.0.mlp.fc1.weight"][0],
        layers=_count(own, r"encoder\.layers\.(\d+)\."),
        positions=own["embeddings.position_embedding.weight"][0],
        hidden_act="quick_gelu",
        projection_dim=width,
    )


def open_clip_config(shapes: Shapes, prefix: str, *, skipped_layers: int) -> Config:
    """The config of a text encoder with the tensor names of OpenCLIP.

    Args:
        shapes: of the tensors in the file.
        prefix: of the text encoder's tensors.
        skipped_layers: number of final layers that the UNet was trained without (CLIP skip).
    """
    own = _below(shapes, prefix)
    vocab_size, width = own["token_embedding.weight"]
    return _text_config(
        vocab_size=vocab_size,
        width=width,
        intermediate_size=own["transformer.resblocks.0.mlp.c_fc.weight"][0],
        layers=_count(own, r"transformer\.resblocks\.(\d+)\.") - skipped_layers,
        positions=own["positional_embedding"][0],
        hidden_act="gelu",
        projection_dim=own.get("text_projection", (width, width))[1],
    )


def scheduler_config(shapes: Shapes, model_type: ModelType) -> Config:
    """The scheduler's config, with the noise schedule that the model was trained with."""
    is_sdxl = model_type.family in (Family.SDXL, Family.SDXL_REFINER)
    return {
        "_class_name": "EulerDiscreteScheduler" if is_sdxl else "DDIMScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
        "steps_offset": 1,
        # a schedule that begins without signal is only right from its first timestep
        "timestep_spacing": "trailing" if "ztsnr" in shapes else "leading",
        "prediction_type": model_type.prediction_type,
        "rescale_betas_zero_snr": "ztsnr" in shapes,
    } | ({} if is_sdxl else {"clip_sample": False, "set_alpha_to_one": False})


def _down_blocks(own: Shapes) -> list[list[tuple[int, int]]]:
    """The output channels and the number of transformer blocks of each layer, by down block."""
    blocks: list[list[tuple[int, int]]] = [[]]
    for number in range(1, _count(own, r"input_blocks\.(\d+)\.")):
        if f"input_blocks.{number}.0.op.weight" in own:
            blocks.append([])
        else:
            channels = own[f"input_blocks.{number}.0.out_layers.3.weight"][0]
            depth = _count(own, rf"input_blocks\.{number}\.1\.transformer_blocks\.(\d+)\.")
            blocks[-1].append((channels, depth))
    return blocks


def _text_config(
    *,
    vocab_size: int,
    width: int,
    intermediate_size: int,
    layers: int,
    positions: int,
    hidden_act: str,
    projection_dim: int,
) -> Config:
    return {
        "vocab_size": vocab_size,
        "hidden_size": width,
        "intermediate_size": intermediate_size,
        "num_hidden_layers": layers,
        "num_attention_heads": _heads(width),
        "max_position_embeddings": positions,
        "hidden_act": hidden_act,
        "projection_dim": projection_dim,
        "bos_token_id": vocab_size - 2,
        "eos_token_id": vocab_size - 1,
    }


def _below(shapes: Shapes, prefix: str) -> Shapes:
    return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}


def _count(own: Shapes, numbered: str) -> int:
    """The number of distinct indices in the names that match."""
    pattern = re.compile(numbered)
    return len({match[1] for name in own if (match := pattern.match(name))})


def _heads(width: int) -> int:
    return max(1, width // _ATTENTION_HEAD_DIM)
