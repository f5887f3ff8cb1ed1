"""Reading of upscalers from their files."""

from pathlib import Path
from typing import Any

from contract.adapters import UPSCALER
from inference.diffusion.adapters.adapter_files import (
    AdapterFileError,
    adapter_errors,
    read_pickled_tensors,
    read_tensors,
)
from inference.diffusion.upscaling.spandrel import load_spandrel
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.engine.interface import AdapterFile

_SCALES = range(1, 9)
_LOAD_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    MemoryError,
)
"""Raised by spandrel's architectures for unexpected names or shapes."""


def read_upscaler(file: AdapterFile, *, pointer: str) -> Upscaler:
    """Reads the upscaler in a file to the CPU.

    Args:
        file: a .safetensors file, or a .pth, of which no code is executed.
        pointer: JSON pointer to the request's field, for errors.

    Raises:
        AdapterUnusableError: the file is damaged or unsafe, or is not a supported upscaler.
    """
    with adapter_errors(file, UPSCALER, pointer):
        return Upscaler(_build(_read_weights(file.path)))


def _build(weights: Any) -> Any:
    """The spandrel model with these weights, whose architecture it detects."""
    if not isinstance(weights, dict):
        raise AdapterFileError("has no weights by name; upload a super-resolution model")
    spandrel = load_spandrel()
    try:
        model = spandrel.ModelLoader().load_from_state_dict(weights)
    except spandrel.UnsupportedModelError as error:
        raise AdapterFileError("has an unsupported architecture; use another upscaler") from error
    except _LOAD_ERRORS as error:
        raise AdapterFileError(
            "has weights that are incomplete or do not match their architecture; upload it again"
        ) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in ("SR", "Restoration"):
        raise AdapterFileError("is not a super-resolution model; use one made for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3):
        raise AdapterFileError("is not made for RGB images; use another upscaler")
    if model.scale not in _SCALES:
        raise AdapterFileError(f"has the unsupported scale {model.scale}; use one of 1 to {_SCALES[-1]}")
    return model.eval()


def _read_weights(path: Path) -> Any:
    return read_tensors(path)[0] if path.suffix == ".safetensors" else read_pickled_tensors(path)
