"""Reading of textual inversions from their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.diffusion.adapters.adapter_files import AdapterFileError, read_pickled_tensors, read_tensors

CLIP = "clip"
CLIP_L = "clip_l"
CLIP_G = "clip_g"

FORMATS: Mapping[str, str] = {
    "AUTOMATIC1111's web UI": "`string_to_param`, a dictionary or a ParameterDict; or `emb_params`",
    "diffusers": "`<token>`, one or several",
    "kohya's trainer, OneTrainer": "`clip_l` and `clip_g`, for SDXL; `bundle_emb.NAME.*` in a LoRA",
    "diffusers' training with pivotal tuning": "`text_encoders_0` and `text_encoders_1`, for SDXL",
}
"""The program that writes a file, and the entries of the file."""

_ENCODERS_OF_SDXL = (
    {CLIP_L: CLIP_L, CLIP_G: CLIP_G},
    {"text_encoders_0": CLIP_L, "text_encoders_1": CLIP_G},
)
_NOT_A_TEXTUAL_INVERSION = "is not a textual inversion; upload a textual inversion or omit it"

Vectors = Mapping[str, torch.Tensor]
"""Text encoder to vectors, (vectors, width). The text encoders of SDXL are CLIP_L and CLIP_G, others CLIP."""


def read_textual_inversions(path: Path) -> Mapping[str | None, Vectors]:
    """Name in prompts to vectors; None stands for the name of the file.

    Args:
        path: a .safetensors file; any other is read as a PyTorch pickle.

    Raises:
        AdapterFileError: the file is damaged or unsafe, or is not a textual inversion.
    """
    content = read_tensors(path)[0] if path.suffix == ".safetensors" else read_pickled_tensors(path)
    try:
        return _by_name(content)
    except RuntimeError as error:  # raised for sparse or quantized tensors, for example
        raise AdapterFileError("has tensors that cannot be read; upload it again or omit it") from error


def vectors_of(content: Mapping[str, Any]) -> Vectors | None:
    """The vectors of one textual inversion from its tensors; None if they are those of several.

    Raises:
        AdapterFileError: a tensor cannot be one of vectors.
    """
    for names in _ENCODERS_OF_SDXL:
        if content.keys() == names.keys():
            return {encoder: _vectors(content[name]) for name, encoder in names.items()}
    if len(content) > 1:
        return None
    return {CLIP: _vectors(next(iter(content.values())))}


def _by_name(content: Any) -> Mapping[str | None, Vectors]:
    if isinstance(content, dict):
        content = content.get("string_to_param", content)
    if not isinstance(content, dict) or not content or not all(isinstance(name, str) for name in content):
        raise AdapterFileError(_NOT_A_TEXTUAL_INVERSION)
    vectors = vectors_of(content)
    if vectors is not None:
        return {None: vectors}
    return {name: {CLIP: _vectors(value)} for name, value in content.items()}


def _vectors(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise AdapterFileError(_NOT_A_TEXTUAL_INVERSION)
    if not value.numel():
        raise AdapterFileError("has no vectors; upload it again or omit it")
    if not value.isfinite().all():
        raise AdapterFileError("has values that are not finite numbers; replace or omit it")
    return value.detach().reshape(-1, value.shape[-1])
