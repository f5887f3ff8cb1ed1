"""Reading and validation of adapter files, with errors for the client."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import ModelMixin

from contract.adapters import AdapterKind
from contract.problem import FieldError
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from inference.models.errors import UnusableModelError
from inference.models.parameter_limit import limit_parameters
from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.pickle_globals import ParameterDict
from inference.models.safe_pickle import read_pickle
from inference.models.safetensors_file import open_safetensors, read_header

WRONG_FAMILY = "was made for another model family"

_MAX_TENSORS = 10_000
_MAX_OPCODES = 200_000
"""Limits below those of models: running generations wait while an adapter is read. A LoRA for SDXL has about
2,400 tensors, a pickled upscaler of 700 tensors 20,000 opcodes."""

_PICKLE_REASONS = {
    PickleRejection.NOT_A_PICKLE: "is neither a .safetensors file nor a PyTorch pickle; upload it again",
    PickleRejection.FORBIDDEN: (
        "refers to {names}, and only tensors and plain values are read; use a .safetensors file"
    ),
    PickleRejection.COMPRESSED: "has compressed or encrypted content; use a .safetensors file",
    PickleRejection.TOO_COMPLEX: "has too many entries; use another",
    PickleRejection.UNSUPPORTED_KEYS: (
        "has a dictionary with keys that are neither short texts nor integers; use a .safetensors file"
    ),
    PickleRejection.OVERSIZED: (
        "describes tensors that are larger than their data in the file; use a .safetensors file"
    ),
    PickleRejection.DAMAGED: "is damaged; upload it again",
}

_M = TypeVar("_M", bound=ModelMixin)
_LOAD_ERRORS = (LookupError, OSError, RuntimeError, TypeError, ValueError, UnusableModelError)
"""Raised for unexpected file contents."""


class AdapterFileError(Exception):
    """An adapter file cannot be used.

    Attributes:
        reason: the reason and the remedy: the rest of a sentence that begins with the adapter's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def adapter_errors(file: AdapterFile, kind: AdapterKind, pointer: str) -> Iterator[None]:
    """Converts an `AdapterFileError` of its block to an error that names the adapter and the request's field.

    Args:
        file: the adapter.
        kind: of the adapter.
        pointer: JSON pointer to the field.

    Raises:
        AdapterUnusableError: the block has raised an `AdapterFileError`.
    """
    try:
        yield
    except AdapterFileError as error:
        wrong = FieldError(pointer=pointer, detail=f"{file.name!r} {error.reason}")
        raise AdapterUnusableError(f"The {kind.name} {wrong.detail}.", errors=(wrong,)) from error


def identify(file: AdapterFile) -> str:
    """The id of an adapter, letters and digits; it depends on the name and the content."""
    return hashlib.sha256(f"{file.name}@{file.version}".encode()).hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises:
        AdapterFileError: the file is damaged, of another format, or has too many tensors.
    """
    try:
        with open_safetensors(path) as file:
            if len(file.keys()) > _MAX_TENSORS:
                raise AdapterFileError(f"has more than {_MAX_TENSORS:,} tensors; use another")
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except UnusableModelError as error:
        raise AdapterFileError(
            "is not a complete safetensors file, or has too many tensors; upload it again"
        ) from error


def read_pickled_tensors(path: Path) -> Any:
    """The content of a PyTorch pickle: tensors and plain values. No code in it is executed.

    A ParameterDict among the values of a dictionary is a dictionary, too.

    Raises:
        AdapterFileError: the file is damaged, too complex, or contains anything else.
    """
    try:
        content = read_pickle(path, max_opcodes=_MAX_OPCODES)
    except PickleRejectedError as error:
        names = ", ".join(error.names)
        raise AdapterFileError(_PICKLE_REASONS[error.reason].format(names=names)) from error
    if not isinstance(content, dict):
        return content
    return {
        name: value.parameters if isinstance(value, ParameterDict) else value
        for name, value in content.items()
    }


def check_family(config: Mapping[str, Any], expected: Mapping[str, Any], names: Iterable[str]) -> None:
    """Checks that the settings of these names are equal in two configurations.

    Args:
        config: of the adapter.
        expected: of the model's own component.
        names: the settings to compare.

    Raises:
        AdapterFileError: one differs.
    """
    for name in names:
        if _as_json(config.get(name)) != _as_json(expected.get(name)):
            raise AdapterFileError(f"{WRONG_FAMILY}: its {name} differs; use one made for this model")


def _as_json(value: Any) -> Any:
    """A tuple as the list that it becomes in JSON; any other value unchanged."""
    return list(value) if isinstance(value, tuple) else value


def load_component(kind: type[_M], directory: Path, dtype: torch.dtype) -> _M:
    """Loads a component in the diffusers layout to the CPU, from its fp16 files if there are any.

    Raises:
        AdapterFileError: the directory is damaged or incomplete, or has another component.
    """
    try:
        config = kind.load_config(directory, local_files_only=True)
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterFileError("has no readable config.json; upload its directory again") from error
    if config.get("_class_name") != kind.__name__:
        raise AdapterFileError(
            f"has a config.json of another class than {kind.__name__}; upload one in the diffusers layout"
        )
    files = list(directory.glob("*.safetensors"))
    if not files:
        raise AdapterFileError("has no .safetensors weights; upload them beside its config.json")
    try:
        with limit_parameters(sum(len(read_header(path).shapes) for path in files)):
            component, report = kind.from_pretrained(
                directory,
                dtype=dtype,
                variant="fp16" if any(directory.glob("*.fp16*.safetensors")) else None,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
    except _LOAD_ERRORS as error:
        raise AdapterFileError(
            "has weights that are damaged or do not match its config.json; upload it again"
        ) from error
    if report["missing_keys"]:
        raise AdapterFileError(
            f"lacks weights, for example {report['missing_keys'][0]}; "
            "upload a complete one in the diffusers layout"
        )
    loaded: _M = component.eval().requires_grad_(False)
    return loaded
