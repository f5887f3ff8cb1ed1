"""Textual inversions, read from their files."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from picklescan.scanner import scan_bytes
from safetensors import SafetensorError

CLIP = "clip"
CLIP_L = "clip_l"
CLIP_G = "clip_g"

_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)
"""What the readers raise over bytes that are not what they expect."""


class UnusableFileError(ValueError):
    """The file is damaged, may not be trusted, or holds no textual inversion.

    Attributes:
        flaw: what is wrong with it, as a predicate.
    """

    def __init__(self, flaw: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw


def read_embedding(path: Path) -> Mapping[str, torch.Tensor]:
    """The vectors that stand for one name, (vectors, width), by the text encoder that they were made for.

    Those of an SDXL are for CLIP_L and CLIP_G, those of others for CLIP. Files are as the web UI, diffusers
    and kohya's trainer write them: `{token: vectors}`, that in `string_to_param`, or `clip_l` and `clip_g`.

    Args:
        path: a .safetensors file; any other is a pickle of PyTorch's, which is looked through before it is
            loaded, and of which tensors and plain values alone are.

    Raises:
        UnusableFileError: see there.
    """
    data = path.read_bytes()
    try:
        is_safe = path.suffix == ".safetensors"
        return _by_encoder(safetensors.torch.load(data) if is_safe else _unpickled(data, path))
    except UnusableFileError:
        raise
    except _DAMAGE as error:
        raise UnusableFileError("is damaged, or holds more than tensors") from error


def _unpickled(data: bytes, path: Path) -> Any:
    if scan_bytes(BytesIO(data), path.name, path.suffix).issues_count:
        raise UnusableFileError("would run code of its own when it is loaded")
    return torch.load(BytesIO(data), map_location="cpu", weights_only=True)


def _by_encoder(content: Any) -> dict[str, torch.Tensor]:
    if isinstance(content, dict):
        content = content.get("string_to_param", content)
    if not isinstance(content, dict) or not content:
        raise UnusableFileError("holds no textual inversion")
    if content.keys() == {CLIP_L, CLIP_G}:
        return {encoder: _vectors(value) for encoder, value in content.items()}
    if len(content) > 1:
        raise UnusableFileError("holds no textual inversion, or several; one a file is possible")
    return {CLIP: _vectors(next(iter(content.values())))}


def _vectors(value: Any) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or value.ndim not in (1, 2) or not value.is_floating_point():
        raise UnusableFileError("holds no textual inversion")
    if not value.numel() or not value.isfinite().all():
        raise UnusableFileError("holds nothing, or what is not a number")
    return value.detach().reshape(-1, value.shape[-1])
