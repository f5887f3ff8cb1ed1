"""Upscalers from their files, whoever has made those."""

import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from picklescan.scanner import scan_file_path
from safetensors import SafetensorError
from safetensors.torch import load_file

from inference.contract.problem import ErrorCode, FieldError, ProblemError
from inference.denoising.enlarging.library import load_spandrel
from inference.denoising.enlarging.upscaler import Upscaler
from inference.engine import AdapterFile

_SCALES = range(1, 9)
_BEGINNINGS = (b"PK", b"\x80")
"""Of a .pth: a zip archive since torch 1.6, a pickle before."""

_PARSING = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(EOFError, MemoryError, OSError, SafetensorError),
    *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile, zlib.error),
)
"""What readers of files and makers of networks raise where bytes, names or shapes are wrong."""


class UnusableUpscalerError(ProblemError):
    """A file holds no upscaler, a damaged one, or more than weights."""

    code = ErrorCode.ADAPTER_UNUSABLE


def read_upscaler(file: AdapterFile, *, pointer: str) -> Upscaler:
    """The upscaler in a file, on the CPU.

    Args:
        file: a .safetensors, or a .pth, of which nothing is executed.
        pointer: to the request's field that names it, for the error.

    Raises:
        UnusableUpscalerError: it cannot be used.
    """
    try:
        return Upscaler(_model(file.path))
    except _UnusableError as error:
        reason = str(error)
    except _PARSING:
        reason = "is damaged, or its weights do not fit together; upload it again"
    wrong = FieldError(pointer=pointer, detail=f"the upscaler {file.name!r} {reason}")
    raise UnusableUpscalerError(f"The upscaler {file.name!r} {reason}.", errors=(wrong,))


class _UnusableError(Exception):
    """Says why, in words of ours."""


def _model(path: Path) -> Any:
    spandrel = load_spandrel()
    try:
        model = spandrel.ModelLoader().load_from_state_dict(_weights(path))
    except spandrel.UnsupportedModelError:
        raise _UnusableError("is of no architecture that is known here; use another") from None
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in ("SR", "Restoration"):
        raise _UnusableError("is a model for something else; use one made for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3) or model.scale not in _SCALES:
        raise _UnusableError("does not make larger RGB pictures of RGB pictures; use another")
    return model.eval()


def _weights(path: Path) -> Any:
    """What the file says it holds: names and tensors if all is well."""
    if path.suffix == ".safetensors":
        return load_file(path)
    with path.open("rb") as file:
        if not file.read(2).startswith(_BEGINNINGS):
            raise _UnusableError("is neither a .safetensors nor a .pth file; upload one of these")
    if scan_file_path(path).issues_count:
        raise _UnusableError("holds code beside its weights, which was not executed; use a .safetensors file")
    return torch.load(path, map_location="cpu", weights_only=True)
