"""Headers and tensors of safetensors files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from inference.models.errors import UnusableModelError

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor name to shape."""


class Header(NamedTuple):
    """The header of a safetensors file: tensor shapes and the `__metadata__` map."""

    shapes: Shapes
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """Reads the header alone.

    Raises:
        UnusableModelError: the file is not a complete safetensors file.
    """
    with open_safetensors(path, framework="numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        return Header(shapes, file.metadata() or {})


@contextmanager
def open_safetensors(path: Path, *, framework: str = "pt", device: str = "cpu") -> Iterator[Any]:
    """Opens a file as `safetensors.safe_open` does.

    Raises:
        UnusableModelError: the file is not a complete safetensors file.
    """
    try:
        file = safe_open(path, framework=framework, device=device)
    except (SafetensorError, OSError) as error:
        raise UnusableModelError(
            f"{path.name} is not a complete safetensors file: it is truncated, damaged or of another format; "
            "download it again."
        ) from error
    with file:
        yield file
