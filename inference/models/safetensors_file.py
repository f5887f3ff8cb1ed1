"""Headers and tensors of safetensors files."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from inference.models.errors import UnusableModelError

_MAX_HEADER_BYTES = 25_000_000
_MAX_ENTRIES = 100_000
_HEADER_SIZE = struct.Struct("<Q")
_INCOMPLETE = "is not a complete safetensors file: it is truncated, damaged or of another format"

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
        UnusableModelError: the file is not a complete safetensors file, or has too many tensors.
    """
    try:
        check_header(path)
        file = safe_open(path, framework=framework, device=device)
    except (SafetensorError, OSError) as error:
        raise _incomplete(path) from error
    with file:
        yield file


def check_header(path: Path) -> None:
    """Checks the header's size and number of entries; parsing it could otherwise take minutes.

    Raises:
        UnusableModelError: the header is incomplete or too large.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        prefix = file.read(_HEADER_SIZE.size)
        size = _HEADER_SIZE.unpack(prefix)[0] if len(prefix) == _HEADER_SIZE.size else 0
        if not 0 < size <= path.stat().st_size - _HEADER_SIZE.size:
            raise _incomplete(path)
        is_large = size > _MAX_HEADER_BYTES or file.read(size).count(b"{") > _MAX_ENTRIES
    if is_large:
        raise UnusableModelError(
            f"{path.name} has more than {_MAX_ENTRIES:,} tensors or a header of more than "
            f"{_MAX_HEADER_BYTES // 1_000_000} MB, and was not loaded; use another file."
        )


def _incomplete(path: Path) -> UnusableModelError:
    return UnusableModelError(f"{path.name} {_INCOMPLETE}; download it again.")
