"""Adapters as they lie on the disk: read, and found wanting where they are damaged."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import ModelMixin
from safetensors import SafetensorError, safe_open

from contract.adapters import AdapterKind
from contract.problem import FieldError
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile

OTHER_FAMILY = "is made for another family of models"

_M = TypeVar("_M", bound=ModelMixin)
_WRONG_CONTENT = (LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What libraries raise when a file is not what they expect."""


class AdapterFileError(Exception):
    """An adapter cannot be used.

    Attributes:
        reason: what is wrong with it and what to do, as the rest of a sentence that begins with its name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def adapter_errors(file: AdapterFile, kind: AdapterKind, pointer: str) -> Iterator[None]:
    """Names the adapter and the request's field in what is wrong.

    Args:
        file: the adapter.
        kind: what it is taken for.
        pointer: to the field that names it.

    Raises:
        AdapterUnusableError: the block has raised an `AdapterFileError`.
    """
    try:
        yield
    except AdapterFileError as error:
        wrong = FieldError(pointer=pointer, detail=f"{file.name!r} {error.reason}")
        raise AdapterUnusableError(f"The {kind.name} {wrong.detail}.", errors=(wrong,)) from error


def identify(file: AdapterFile) -> str:
    """The same for the same content under the same name: letters and digits."""
    return hashlib.sha256(f"{file.name}@{file.version}".encode()).hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """What a safetensors file holds, and what it says of it.

    Raises:
        AdapterFileError: it is damaged, or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise AdapterFileError("is no whole safetensors file; upload it again") from error


def check_family(settings: Mapping[str, Any], own: Mapping[str, Any], names: Iterable[str]) -> None:
    """Makes sure that a component's settings of these names are those of the model's own.

    Raises:
        AdapterFileError: one differs.
    """
    for name in names:
        value, expected = settings.get(name), own.get(name)
        if _as_list(value) != _as_list(expected):
            raise AdapterFileError(f"{OTHER_FAMILY}: its {name} differs; use one of this model's family")


def _as_list(value: Any) -> Any:
    """A tuple as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


def load_component(kind: type[_M], directory: Path, dtype: torch.dtype) -> _M:
    """A component from a directory in diffusers' layout, on the CPU; of half precision, where it has that.

    Raises:
        AdapterFileError: it is something else, damaged or incomplete.
    """
    try:
        settings = kind.load_config(directory, local_files_only=True)
    except (OSError, ValueError) as error:
        raise AdapterFileError("has no config.json that can be read; upload its directory again") from error
    if settings.get("_class_name") != kind.__name__:
        raise AdapterFileError(f"is no {kind.__name__}; upload one in diffusers' layout")
    try:
        component, report = kind.from_pretrained(
            directory,
            dtype=dtype,
            variant="fp16" if any(directory.glob("*.fp16*.safetensors")) else None,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except _WRONG_CONTENT as error:
        raise AdapterFileError("has weights that are damaged, or do not belong to its config.json") from error
    if report["missing_keys"]:
        raise AdapterFileError(f"lacks weights, {report['missing_keys'][0]} for one; upload it again")
    loaded: _M = component.eval().requires_grad_(False)
    return loaded
