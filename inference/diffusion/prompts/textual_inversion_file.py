"""Textual inversions, read from their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inference.diffusion.adapters.adapter_files import AdapterFileError, read_tensors
from inference.models.safe_pickle import Flaw, UnreadPickleError, read_pickle

CLIP = "clip"
CLIP_L = "clip_l"
CLIP_G = "clip_g"

_DAMAGED = "is damaged, or holds more than tensors; replace or omit it"
_NOTHING = "holds no textual inversion; replace or omit it"


def read_embedding(path: Path) -> Mapping[str, torch.Tensor]:
    """The vectors that stand for one name, (vectors, width), by the text encoder that they were made for.

    Those of an SDXL are for CLIP_L and CLIP_G, those of others for CLIP. Files are as the web UI, diffusers
    and kohya's trainer write them: `{token: vectors}`, that in `string_to_param`, or `clip_l` and `clip_g`.

    Args:
        path: a .safetensors file; any other is a pickle of PyTorch's, see `inference.models.safe_pickle`.

    Raises:
        AdapterFileError: it is damaged, may not be trusted, or holds no textual inversion.
    """
    content = read_tensors(path)[0] if path.suffix == ".safetensors" else _unpickled(path)
    try:
        return _by_encoder(content)
    except RuntimeError as error:  # of tensors that are not made to be looked at
        raise AdapterFileError(_DAMAGED) from error


def _unpickled(path: Path) -> Any:
    try:
        return read_pickle(path)
    except UnreadPickleError as error:
        if error.flaw is Flaw.DANGEROUS:
            raise AdapterFileError(
                "would run code of its own when it is loaded; replace or omit it"
            ) from error
        raise AdapterFileError(_DAMAGED) from error


def _by_encoder(content: Any) -> dict[str, torch.Tensor]:
    if isinstance(content, dict):
        content = content.get("string_to_param", content)
    if not isinstance(content, dict) or not content:
        raise AdapterFileError(_NOTHING)
    if content.keys() == {CLIP_L, CLIP_G}:
        return {encoder: _vectors(value) for encoder, value in content.items()}
    if len(content) > 1:
        raise AdapterFileError("holds no textual inversion, or several; upload one a file")
    return {CLIP: _vectors(next(iter(content.values())))}


def _vectors(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise AdapterFileError(_NOTHING)
    if not value.numel() or not value.isfinite().all():
        raise AdapterFileError("holds nothing, or what is not a number; replace or omit it")
    return value.detach().reshape(-1, value.shape[-1])
