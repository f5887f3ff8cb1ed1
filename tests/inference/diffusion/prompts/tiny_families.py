"""Stable Diffusions whose text encoders differ in what matters to prompts, and what encodes for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from tests.inference import tiny_models

LAYERS = 4


def sd(demo_model: Path) -> Any:
    return _deepened(tiny_models.sd(demo_model))


def sd_2(demo_model: Path) -> Any:
    """Pads with a token of its own."""
    pipeline = sd(demo_model)
    pipeline.register_modules(tokenizer=_padding_with(demo_model, "!"))
    return pipeline


def sd_with_mask(demo_model: Path) -> Any:
    """Does not look at padding."""
    pipeline = sd(demo_model)
    pipeline.text_encoder.config.use_attention_mask = True
    return pipeline


def sd_with_short_chunks(demo_model: Path) -> Any:
    pipeline = sd(demo_model)
    pipeline.tokenizer.model_max_length = 12
    return pipeline


def sdxl(demo_model: Path) -> Any:
    """Its second tokenizer pads with a token of its own."""
    pipeline = _deepened(tiny_models.sdxl(demo_model))
    pipeline.register_modules(tokenizer_2=_padding_with(demo_model, "!"))
    return pipeline


def sdxl_of_zeros(demo_model: Path) -> Any:
    """No negative prompt is zeros."""
    pipeline = sdxl(demo_model)
    pipeline.register_to_config(force_zeros_for_empty_prompt=True)
    return pipeline


FAMILIES: dict[str, Callable[[Path], Any]] = {
    "SD": sd,
    "SD 2": sd_2,
    "mask": sd_with_mask,
    "short": sd_with_short_chunks,
    "SDXL": sdxl,
    "SDXL of zeros": sdxl_of_zeros,
}


def _padding_with(demo_model: Path, token: str) -> Any:
    return CLIPTokenizer.from_pretrained(demo_model / "tokenizer", local_files_only=True, pad_token=token)


def _deepened(pipeline: Any) -> Any:
    """With more layers, and means that are not almost zero."""
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
