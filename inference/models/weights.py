"""State dicts from safetensors files, read straight to the device."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from inference.models.errors import UnusableModelError
from inference.models.safetensors_file import open_safetensors

StateDict = dict[str, torch.Tensor]
ReadStateDict = Callable[[torch.device, torch.dtype], StateDict]
"""Reads the state dict of one component onto a device, in a dtype."""

_FP16 = "fp16"
_FILE = re.compile(r"[^.]+?(\.(?P<variant>.+?))?(?P<shard>-\d{5}-of-\d{5})?\.safetensors")


def read_safetensors(
    path: Path, device: torch.device, dtype: torch.dtype, *, prefixes: tuple[str, ...] = ("",)
) -> StateDict:
    """The tensors of a file whose names have one of the prefixes.

    Raises:
        UnusableModelError: the file is not a complete safetensors file.
    """
    with open_safetensors(path, device=str(device)) as file:
        names = [name for name in file.keys() if name.startswith(prefixes)]  # noqa: SIM118 - not a dict
        return {name: cast(file.get_tensor(name), dtype) for name in names}


def read_component(directory: Path, device: torch.device, dtype: torch.dtype) -> StateDict:
    """The state dict of a component of a diffusers directory, of its fp16 variant if there is one.

    Raises:
        UnusableModelError: there are no safetensors files, or one is incomplete.
    """
    files = [(path, match) for path in sorted(directory.iterdir()) if (match := _FILE.fullmatch(path.name))]
    fp16 = [(path, match) for path, match in files if match["variant"] == _FP16]
    chosen = fp16 or [(path, match) for path, match in files if not match["variant"]]
    unsharded = [path for path, match in chosen if not match["shard"]]
    tensors: StateDict = {}
    for path in unsharded or [path for path, _ in chosen]:
        tensors |= read_safetensors(path, device, dtype)
    if not tensors:
        raise UnusableModelError(
            f"{directory.name} has no safetensors weights, and other formats are not loaded from a "
            "directory; download the model again, or convert it."
        )
    return tensors


def cast(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The tensor in the dtype; integer tensors are returned unchanged."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def load_state_dict(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Assigns tensors to a module on the meta device; unexpected keys are ignored.

    Args:
        module: built without weights.
        tensors: by their names in the module.
        name: of the component, for the error.

    Raises:
        UnusableModelError: tensors are missing or have other shapes.
    """
    expected = {key: value.shape for key, value in module.state_dict().items()}
    missing = [key for key, shape in expected.items() if key not in tensors or tensors[key].shape != shape]
    if missing:
        raise UnusableModelError(
            f"{name}: {len(missing)} of {len(expected)} tensors are missing or have another shape, among "
            f"them {missing[0]}; download the model again."
        )
    module.load_state_dict({key: tensors[key].contiguous() for key in expected}, assign=True)
