"""Tensors from files, by name, straight onto a device."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from inference.models.errors import UnusableModelError
from inference.models.safetensors_file import opened

Tensors = dict[str, torch.Tensor]
Read = Callable[[torch.device, torch.dtype], Tensors]
"""Gives the tensors of one part of a model, on a device and in a precision."""

_HALF = "fp16"
_FILE = re.compile(r"[^.]+?(\.(?P<variant>.+?))?(?P<shard>-\d{5}-of-\d{5})?\.safetensors")


def read_safetensors(
    path: Path, device: torch.device, dtype: torch.dtype, *, prefixes: tuple[str, ...] = ("",)
) -> Tensors:
    """The tensors of a file whose names begin in one of these ways.

    Raises:
        UnusableModelError: it is not a whole safetensors file.
    """
    with opened(path, device=str(device)) as file:
        names = [name for name in file.keys() if name.startswith(prefixes)]  # noqa: SIM118 - it is no dict
        return {name: cast(file.get_tensor(name), dtype) for name in names}


def read_part(directory: Path, device: torch.device, dtype: torch.dtype) -> Tensors:
    """The tensors of a part of a diffusers directory: the fp16 ones where it has them.

    Raises:
        UnusableModelError: there are none in safetensors, or a file is not whole.
    """
    files = [(path, match) for path in sorted(directory.iterdir()) if (match := _FILE.fullmatch(path.name))]
    halves = [(path, match) for path, match in files if match["variant"] == _HALF]
    chosen = halves or [(path, match) for path, match in files if not match["variant"]]
    whole = [path for path, match in chosen if not match["shard"]]
    tensors: Tensors = {}
    for path in whole or [path for path, _ in chosen]:
        tensors |= read_safetensors(path, device, dtype)
    if not tensors:
        raise UnusableModelError(
            f"{directory.name} has no safetensors weights, and no others are loaded; fetch the model again, "
            "or convert it."
        )
    return tensors


def cast(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The tensor in this precision; whole numbers stay as they are."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def assign(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Makes tensors those of a module that was built without any; further ones are left out.

    Raises:
        UnusableModelError: some are missing or of other shapes.
    """
    wanted = {key: value.shape for key, value in module.state_dict().items()}
    lacking = [key for key, shape in wanted.items() if key not in tensors or tensors[key].shape != shape]
    if lacking:
        raise UnusableModelError(
            f"{name} lacks {len(lacking)} of its {len(wanted)} tensors, or has them in another shape, "
            f"{lacking[0]} for one; fetch the model again."
        )
    module.load_state_dict({key: tensors[key].contiguous() for key in wanted}, assign=True)
