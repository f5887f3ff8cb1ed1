"""What the parts of a single file are built like: its family's constants, and sizes from its tensors."""

import re
from collections.abc import Mapping
from typing import Any

from contract.family import Family
from inference.models.family import UNET, Traits
from inference.models.safetensors_file import Shapes

Config = dict[str, Any]
VAE = "first_stage_model."
_HEAD_WIDTH = 64
"""Of every family's attention but that of SD 1's UNet, which has eight heads of any width."""

_PIPELINES = {
    (Family.SD1, 4): "StableDiffusionPipeline",
    (Family.SD1, 9): "StableDiffusionInpaintPipeline",
    (Family.SD2, 4): "StableDiffusionPipeline",
    (Family.SD2, 9): "StableDiffusionInpaintPipeline",
    (Family.SDXL, 4): "StableDiffusionXLPipeline",
    (Family.SDXL, 9): "StableDiffusionXLInpaintPipeline",
    (Family.SDXL_REFINER, 4): "StableDiffusionXLImg2ImgPipeline",
}
_LATENTS = {Family.SD1: 64, Family.SD2: 96, Family.SDXL: 128, Family.SDXL_REFINER: 128}
"""Width and height of the latents at the size that the family was trained for."""


def pipeline_class(traits: Traits) -> str | None:
    """The pipeline of diffusers that draws with such a model; None where none does."""
    return _PIPELINES.get((traits.family, traits.in_channels))


def unet_config(shapes: Shapes, traits: Traits, pooled_width: int | None) -> Config:
    """The UNet of a single file.

    Args:
        shapes: the file's tensors.
        traits: what the file is.
        pooled_width: of the embedding of a whole prompt that SDXL's UNet is shown beside the tokens'.
    """
    own = _below(shapes, UNET)
    blocks = _blocks(own)
    channels = [block[0][0] for block in blocks]
    depths = [block[0][1] for block in blocks]
    middle = _count(own, r"middle_block\.1\.transformer_blocks\.(\d+)\.")
    config: Config = {
        "_class_name": "UNet2DConditionModel",
        "sample_size": _LATENTS[traits.family],
        "in_channels": traits.in_channels,
        "out_channels": own["out.2.weight"][0],
        "block_out_channels": channels,
        "layers_per_block": len(blocks[0]),
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)],
        "transformer_layers_per_block": [
            *(depth or 1 for depth in depths[:-1]),
            middle,
        ],  # the last counts twice
        "cross_attention_dim": own["middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1],
        "use_linear_projection": len(own["middle_block.1.proj_in.weight"]) == 2,
        "attention_head_dim": 8,
    }
    if traits.family is not Family.SD1:
        config["attention_head_dim"] = [_heads(width) for width in channels]
    if pooled_width is not None:
        width = own["label_emb.0.0.weight"][1]
        numbers = 5 if traits.family is Family.SDXL_REFINER else 6
        config |= {
            "addition_embed_type": "text_time",
            "projection_class_embeddings_input_dim": width,
            "addition_time_embed_dim": (width - pooled_width) // numbers,
        }
    return config


def vae_config(shapes: Shapes, traits: Traits) -> Config:
    """The VAE of a single file."""
    own = _below(shapes, VAE)
    count = _count(own, r"encoder\.down\.(\d+)\.")
    is_large = traits.family in (Family.SDXL, Family.SDXL_REFINER)
    return {
        "_class_name": "AutoencoderKL",
        "sample_size": _LATENTS[traits.family] * 8,
        "block_out_channels": [own[f"encoder.down.{i}.block.0.conv1.weight"][0] for i in range(count)],
        "layers_per_block": _count(own, r"encoder\.down\.0\.block\.(\d+)\."),
        "down_block_types": ["DownEncoderBlock2D"] * count,
        "up_block_types": ["UpDecoderBlock2D"] * count,
        "latent_channels": own["decoder.conv_in.weight"][1],
        "scaling_factor": 0.13025 if is_large else 0.18215,
        "force_upcast": is_large,
    }


def clip_config(shapes: Shapes, prefix: str) -> Config:
    """A text encoder as OpenAI has it."""
    own = _below(shapes, f"{prefix}text_model.") or _below(shapes, prefix)  # older files leave it out
    vocabulary, width = own["embeddings.token_embedding.weight"]
    return _text_config(
        vocabulary=vocabulary,
        width=width,
        inner=own["encoder.layers.0.mlp.fc1.weight"][0],
        layers=_count(own, r"encoder\.layers\.(\d+)\."),
        positions=own["embeddings.position_embedding.weight"][0],
        hidden_act="quick_gelu",
        projection_dim=width,
    )


def open_clip_config(shapes: Shapes, prefix: str, *, layers_unused: int) -> Config:
    """A text encoder as OpenCLIP has it.

    Args:
        shapes: the file's tensors.
        prefix: how the encoder's begin.
        layers_unused: how many of its last layers were left out when the UNet was trained.
    """
    own = _below(shapes, prefix)
    vocabulary, width = own["token_embedding.weight"]
    return _text_config(
        vocabulary=vocabulary,
        width=width,
        inner=own["transformer.resblocks.0.mlp.c_fc.weight"][0],
        layers=_count(own, r"transformer\.resblocks\.(\d+)\.") - layers_unused,
        positions=own["positional_embedding"][0],
        hidden_act="gelu",
        projection_dim=own.get("text_projection", (width, width))[1],
    )


def scheduler_config(shapes: Shapes, traits: Traits) -> Config:
    """The schedule that the model was trained by."""
    is_large = traits.family in (Family.SDXL, Family.SDXL_REFINER)
    return {
        "_class_name": "EulerDiscreteScheduler" if is_large else "DDIMScheduler",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "prediction_type": traits.prediction_type,
        "rescale_betas_zero_snr": "ztsnr" in shapes,
    } | ({} if is_large else {"clip_sample": False, "set_alpha_to_one": False})


def _blocks(own: Shapes) -> list[list[tuple[int, int]]]:
    """The UNet's way down: of every block its layers, of every layer its channels and its transformers."""
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
    vocabulary: int,
    width: int,
    inner: int,
    layers: int,
    positions: int,
    hidden_act: str,
    projection_dim: int,
) -> Config:
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": _heads(width),
        "max_position_embeddings": positions,
        "hidden_act": hidden_act,
        "projection_dim": projection_dim,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }


def _below(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> Shapes:
    return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}


def _count(own: Shapes, numbered: str) -> int:
    """How many different numbers the names that match have."""
    pattern = re.compile(numbered)
    return len({match[1] for name in own if (match := pattern.match(name))})


def _heads(width: int) -> int:
    return max(1, width // _HEAD_WIDTH)
