"""Textual inversions, read from their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from inference.pickles import Flaw, UnreadPickleError, read_pickle

CLIP = "clip"
CLIP_L = "clip_l"
CLIP_G = "clip_g"

_DAMAGED = "is damaged, or holds more than tensors"


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
        path: a .safetensors file; any other is a pickle of PyTorch's, see `inference.pickles`.

    Raises:
        UnusableFileError: see there.
    """
    try:
        return _by_encoder(_content(path))
    except UnreadPickleError as error:
        if error.flaw is Flaw.DANGEROUS:
            raise UnusableFileError("would run code of its own when it is loaded") from error
        raise UnusableFileError(_DAMAGED) from error
    except (OSError, RuntimeError, SafetensorError) as error:  # some tensors are not made to be looked at
        raise UnusableFileError(_DAMAGED) from error


def _content(path: Path) -> Any:
    return safetensors.torch.load_file(path) if path.suffix == ".safetensors" else read_pickle(path)


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
