"""Tiny Stable Diffusion pipelines with different tokenizers, padding and text encoders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from tests.inference import tiny_models

LAYERS = 4


def sd(demo_model: Path) -> Any:
    return _with_more_layers(tiny_models.sd(demo_model))


def sd_2(demo_model: Path) -> Any:
    """Pads with another token than EOS, as Stable Diffusion 2."""
    pipeline = sd(demo_model)
    pipeline.register_modules(tokenizer=_tokenizer(demo_model, "!"))
    return pipeline


def sd_with_mask(demo_model: Path) -> Any:
    """Masks the padding."""
    pipeline = sd(demo_model)
    pipeline.text_encoder.config.use_attention_mask = True
    return pipeline


def sd_with_short_chunks(demo_model: Path) -> Any:
    pipeline = sd(demo_model)
    pipeline.tokenizer.model_max_length = 12
    return pipeline


def sdxl(demo_model: Path) -> Any:
    """The second tokenizer pads with another token than EOS, as in SDXL."""
    pipeline = _with_more_layers(tiny_models.sdxl(demo_model))
    pipeline.register_modules(tokenizer_2=_tokenizer(demo_model, "!"))
    return pipeline


def sdxl_with_zeros(demo_model: Path) -> Any:
    """An empty negative prompt is encoded as zeros."""
    pipeline = sdxl(demo_model)
    pipeline.register_to_config(force_zeros_for_empty_prompt=True)
    return pipeline


FAMILIES: dict[str, Callable[[Path], Any]] = {
    "SD": sd,
    "SD 2": sd_2,
    "mask": sd_with_mask,
    "short": sd_with_short_chunks,
    "SDXL": sdxl,
    "SDXL with zeros": sdxl_with_zeros,
}


def _tokenizer(demo_model: Path, pad_token: str) -> Any:
    return CLIPTokenizer.from_pretrained(demo_model / "tokenizer", local_files_only=True, pad_token=pad_token)


def _with_more_layers(pipeline: Any) -> Any:
    """Replaces the text encoders by ones of `LAYERS` layers whose hidden states have means far from zero."""
    torch.manual_seed(5)
    for name, kind in (("text_encoder", CLIPTextModel), ("text_encoder_2", CLIPTextModelWithProjection)):
        if not hasattr(pipeline, name):
            continue
        settings = getattr(pipeline, name).config.to_dict() | {"num_hidden_layers": LAYERS}
        model = kind(CLIPTextConfig(**settings)).eval()
        torch.nn.init.normal_(model.base_model.final_layer_norm.bias, mean=0.2)
        torch.nn.init.normal_(model.get_input_embeddings().weight, mean=0.1)
        pipeline.register_modules(**{name: model})
    return pipeline
