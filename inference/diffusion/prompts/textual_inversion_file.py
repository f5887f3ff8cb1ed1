"""Reading of textual inversions from their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.diffusion.adapters.adapter_files import AdapterFileError, read_pickled_tensors, read_tensors

CLIP = "clip"
CLIP_L = "clip_l"
CLIP_G = "clip_g"

_NOT_A_TEXTUAL_INVERSION = "is not a textual inversion; upload a textual inversion or omit it"


def read_textual_inversion(path: Path) -> Mapping[str, torch.Tensor]:
    """Text encoder to the vectors of the textual inversion, (vectors, width).

    The text encoders are CLIP_L and CLIP_G in a file for SDXL, and CLIP in any other. The web UI, diffusers
    and kohya's trainer write `{token: vectors}`, the same inside `string_to_param`, or `clip_l` and `clip_g`.

    Args:
        path: a .safetensors file; any other is read as a PyTorch pickle.

    Raises:
        AdapterFileError: the file is damaged or unsafe, or is not a textual inversion.
    """
    content = read_tensors(path)[0] if path.suffix == ".safetensors" else read_pickled_tensors(path)
    try:
        return _by_encoder(content)
    except RuntimeError as error:  # raised for sparse or quantized tensors, for example
        raise AdapterFileError("has tensors that cannot be read; upload it again or omit it") from error


def _by_encoder(content: Any) -> dict[str, torch.Tensor]:
    if isinstance(content, dict):
        content = content.get("string_to_param", content)
    if not isinstance(content, dict) or not content:
        raise AdapterFileError(_NOT_A_TEXTUAL_INVERSION)
    if content.keys() == {CLIP_L, CLIP_G}:
        return {encoder: _vectors(value) for encoder, value in content.items()}
    if len(content) > 1:
        raise AdapterFileError(
            f"has {len(content)} entries instead of one textual inversion; upload one a file"
        )
    return {CLIP: _vectors(next(iter(content.values())))}


def _vectors(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise AdapterFileError(_NOT_A_TEXTUAL_INVERSION)
    if not value.numel():
        raise AdapterFileError("has no vectors; upload it again or omit it")
    if not value.isfinite().all():
        raise AdapterFileError("has values that are not finite numbers; replace or omit it")
    return value.detach().reshape(-1, value.shape[-1])
