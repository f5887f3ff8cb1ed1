"""Reading of upscalers from their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

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
from inference.isolation import IsolatedCall, IsolatedCallError, Limits, limit_address_space
from inference.models.parameter_limit import limit_parameters

_LIMITS = Limits(seconds=120, memory_bytes=64 << 30)
"""Of the trial, with the import of the libraries, whose files take much address space but little memory."""

_BUILD_MEMORY_BYTES = 512 << 20
_MAX_EXPANSION = 8
"""The address space of the trial: so many times the file's size, and `_BUILD_MEMORY_BYTES`."""

_MISMATCH = "has weights that are incomplete or do not match their architecture; upload it again"
_SCALES = range(1, 9)
_LOAD_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    MemoryError,
)
"""Raised by spandrel's architectures for unexpected names or shapes."""


def read_upscaler(file: AdapterFile, *, pointer: str) -> Upscaler:
    """Reads the upscaler in a file to the CPU.

    The network's size follows from names and shapes in the file, and a small file can describe a network that
    fills the memory or takes hours to build. It is built in a child process with limits first.

    Args:
        file: a .safetensors file; any other is read as a PyTorch pickle, of which no code is executed.
        pointer: JSON pointer to the request's field, for errors.

    Raises:
        AdapterUnusableError: the file is damaged or unsafe, or is not a supported upscaler.
    """
    with adapter_errors(file, UPSCALER, pointer):
        weights = _read_weights(file.path)
        _try(file.path)
        return Upscaler(_build(weights))


def _try(path: Path) -> None:
    """Builds the network in a child process.

    Raises:
        AdapterFileError: it cannot be built, or not within the limits.
    """
    try:
        IsolatedCall(_LIMITS, _build_within_memory, path).result()
    except IsolatedCallError as error:
        raise AdapterFileError(_MISMATCH) from error


def _build_within_memory(path: Path) -> None:
    """The child's side of `_try`."""
    load_spandrel()
    torch.set_num_threads(1)
    limit_address_space(_BUILD_MEMORY_BYTES + _MAX_EXPANSION * path.stat().st_size)
    _build(_read_weights(path))


def _build(weights: Any) -> Any:
    """The spandrel model with these weights, whose architecture it detects."""
    if not isinstance(weights, dict) or not all(isinstance(key, str) for key in weights):
        raise AdapterFileError("has no weights by name; upload a super-resolution model")
    spandrel = load_spandrel()
    try:
        with limit_parameters(_count_tensors(weights)):
            model = spandrel.ModelLoader().load_from_state_dict(weights)
    except spandrel.UnsupportedModelError as error:
        raise AdapterFileError("has an unsupported architecture; use another upscaler") from error
    except _LOAD_ERRORS as error:
        raise AdapterFileError(_MISMATCH) from error
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose not in ("SR", "Restoration"):
        raise AdapterFileError("is not a super-resolution model; use one made for super-resolution")
    if (model.input_channels, model.output_channels) != (3, 3):
        raise AdapterFileError("is not made for RGB images; use another upscaler")
    if model.scale not in _SCALES:
        raise AdapterFileError(f"has the unsupported scale {model.scale}; use one of 1 to {_SCALES[-1]}")
    return model.eval()


def _count_tensors(weights: Mapping[str, Any]) -> int:
    """The number of tensors; spandrel's models may be nested, for example in `params_ema`."""
    return sum(len(each) if isinstance(each, dict) else 1 for each in weights.values())


def _read_weights(path: Path) -> Any:
    return read_tensors(path)[0] if path.suffix == ".safetensors" else read_pickled_tensors(path)
