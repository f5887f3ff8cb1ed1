"""Tensors in pickles, which are programs: examined first, then read for tensors and plain values alone."""

import logging
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from picklescan.scanner import SafetyLevel, scan_file_path

logging.getLogger("picklescan").setLevel(logging.ERROR)  # what it finds is told by those who ask

_BEGINNINGS = (b"PK", b"\x80")
"""Of a file of PyTorch's: a zip archive since 1.6, a pickle before."""

_BAGGAGE = re.compile(r"pytorch_lightning\.[\w.]+|numpy\.(_?core\.multiarray\.scalar|dtype)")
"""What training has left in the makers' own files: known to do nothing, and not wanted."""

_SYMPTOMS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(EOFError, MemoryError, OSError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""What damaged pickles make of their reader."""


class Flaw(StrEnum):
    """Why a pickle is not read."""

    OTHER = "other"
    """It does not begin like one."""

    DANGEROUS = "dangerous"
    """It would call what could do harm."""

    OPAQUE = "opaque"
    """It cannot be examined: it is damaged, or hides something."""

    MORE_THAN_TENSORS = "more_than_tensors"
    """It would build what is neither a tensor nor a plain value."""

    DAMAGED = "damaged"


class UnreadPickleError(Exception):
    """A pickle has not been read, and nothing that it names has been called.

    Attributes:
        flaw: why.
        calls: what a dangerous one would call, sorted.
    """

    def __init__(self, flaw: Flaw, calls: Iterable[str] = ()) -> None:
        super().__init__(flaw)
        self.flaw = flaw
        self.calls = tuple(sorted(calls))


def read_pickle(path: Path) -> Any:
    """What a .ckpt, .pt, .pth or .bin of PyTorch's holds, on the CPU; nothing that it names is called.

    Raises:
        UnreadPickleError: it is dangerous, damaged or something else.
    """
    try:
        with path.open("rb") as file:
            if not file.read(2).startswith(_BEGINNINGS):
                raise UnreadPickleError(Flaw.OTHER)
        found = scan_file_path(path)
    except _SYMPTOMS as error:
        raise UnreadPickleError(Flaw.OPAQUE) from error
    dangerous = [
        f"{each.module}.{each.name}" for each in found.globals if each.safety is SafetyLevel.Dangerous
    ]
    if dangerous:
        raise UnreadPickleError(Flaw.DANGEROUS, dangerous)
    if found.scan_err:
        raise UnreadPickleError(Flaw.OPAQUE)
    try:
        return _load(path)
    except pickle.UnpicklingError as error:
        raise UnreadPickleError(Flaw.MORE_THAN_TENSORS) from error
    except _SYMPTOMS as error:
        raise UnreadPickleError(Flaw.DAMAGED) from error


class _Ignored:
    """Stands where baggage stood."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _load(path: Path) -> Any:
    is_archive = zipfile.is_zipfile(path)
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path) if is_archive else []
    stand_ins: list[Any] = [(_Ignored, name) for name in names if _BAGGAGE.fullmatch(name)]
    with torch.serialization.safe_globals(stand_ins):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
