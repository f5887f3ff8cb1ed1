"""Components in one file: reading of their tensors, and building of their modules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import ModelMixin

from inference.diffusion.adapters.adapter_files import (
    WRONG_FAMILY,
    AdapterFileError,
    read_pickled_tensors,
    read_tensors,
)
from inference.models.components import with_current_names
from inference.models.parameter_limit import limit_parameters
from inference.models.weights import StateDict, cast

_STATE_DICT = "state_dict"
_MAX_NESTING = 3
_BUILD_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)
"""Raised by diffusers' modules for sizes that do not fit together."""

_M = TypeVar("_M", bound=ModelMixin)


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a .safetensors file, or of a PyTorch pickle's (nested) state dict.

    Raises:
        AdapterFileError: the file is damaged or unsafe, or has no tensors by name.
    """
    if path.suffix == ".safetensors":
        return read_tensors(path)[0]
    content = read_pickled_tensors(path)
    for _ in range(_MAX_NESTING):
        if isinstance(content, dict) and isinstance(content.get(_STATE_DICT), dict):
            content = content[_STATE_DICT]
    if not isinstance(content, dict):
        raise AdapterFileError("has no weights by name; use a .safetensors file")
    return {
        name: value
        for name, value in content.items()
        if isinstance(name, str) and isinstance(value, torch.Tensor)
    }


def without_prefix(tensors: StateDict, prefix: str) -> StateDict:
    """The tensors below a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def count_layers(tensors: StateDict, prefix: str) -> int:
    """The number of layers whose names are the prefix and a number."""
    return len({name.removeprefix(prefix).split(".")[0] for name in tensors if name.startswith(prefix)})


def build(kind: type[_M], config: Mapping[str, Any], tensors: StateDict, dtype: torch.dtype) -> _M:
    """Builds a component on the CPU; tensors that it does not have are ignored.

    Args:
        kind: the component's class.
        config: its arguments.
        tensors: by their names in diffusers.
        dtype: of the weights.

    Raises:
        AdapterFileError: a tensor is missing or has another shape.
    """
    try:
        with torch.device("meta"), limit_parameters(len(tensors)):
            module = kind(**config)
    except _BUILD_ERRORS as error:
        raise AdapterFileError(
            "has weights of sizes that do not fit together; upload its directory in the diffusers layout"
        ) from error
    named = with_current_names(module, tensors)
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    for name, shape in expected.items():
        if name in named and tuple(named[name].shape) != shape:
            raise AdapterFileError(
                f"{WRONG_FAMILY}: its {name} has the shape {tuple(named[name].shape)} and not {shape}; use "
                "one made for this model"
            )
    missing = [name for name in expected if name not in named]
    if missing:
        raise AdapterFileError(f"lacks weights, for example {missing[0]}; upload a complete one")
    try:
        weights = {name: cast(named[name], dtype).contiguous() for name in expected}
    except RuntimeError as error:  # raised for sparse or quantized tensors
        raise AdapterFileError("has tensors that cannot be read; use a .safetensors file") from error
    module.load_state_dict(weights, assign=True)
    built: _M = module.eval().requires_grad_(False)
    return built
