"""What a safetensors file holds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from inference.models.errors import UnusableModelError

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor names and their shapes."""


class Contents(NamedTuple):
    """The tensors of a file, and what its maker has noted in it."""

    shapes: Shapes
    notes: Mapping[str, str]


def read_contents(path: Path) -> Contents:
    """What the file holds; only its header is read.

    Raises:
        UnusableModelError: it is not a whole safetensors file.
    """
    with opened(path, framework="numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        return Contents(shapes, file.metadata() or {})


@contextmanager
def opened(path: Path, *, framework: str = "pt", device: str = "cpu") -> Iterator[Any]:
    """The file, to read tensors from.

    Raises:
        UnusableModelError: it is not a whole safetensors file.
    """
    try:
        file = safe_open(path, framework=framework, device=device)
    except (SafetensorError, OSError) as error:
        raise UnusableModelError(
            f"{path.name} is not a whole safetensors file: it is cut off, damaged or something else; "
            "fetch it again."
        ) from error
    with file:
        yield file
