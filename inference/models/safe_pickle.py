"""Safe reading of PyTorch pickles: scanned by opcode, then loaded for tensors and plain values only."""

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

logging.getLogger("picklescan").setLevel(logging.ERROR)  # its findings are raised as errors here

_MAGIC = (b"PK", b"\x80")
"""First bytes of PyTorch files: zip archives since 1.6, pickles before."""

_IGNORED_GLOBALS = re.compile(r"pytorch_lightning\.[\w.]+|numpy\.(_?core\.multiarray\.scalar|dtype)")
"""Training state in official checkpoints; known to be harmless, and replaced by placeholders."""

_DAMAGE_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(EOFError, MemoryError, OSError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""Exceptions that damaged pickles cause in picklescan and torch.load."""


class PickleRejection(StrEnum):
    """The reason why a pickle is rejected."""

    NOT_A_PICKLE = "not_a_pickle"
    """The first bytes are not those of a PyTorch file."""

    DANGEROUS = "dangerous"
    """It imports a global that could run code."""

    SCAN_FAILED = "scan_failed"
    """The pickle scan failed: the file is damaged, or hides code."""

    NOT_ONLY_TENSORS = "not_only_tensors"
    """It has objects other than tensors and plain values."""

    DAMAGED = "damaged"


class PickleRejectedError(Exception):
    """A pickle was not loaded, and nothing that it names was called.

    Attributes:
        reason: why it was rejected.
        calls: the dangerous globals that unpickling would call, sorted.
    """

    def __init__(self, reason: PickleRejection, calls: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.calls = tuple(sorted(calls))


def read_pickle(path: Path) -> Any:
    """The content of a PyTorch .ckpt, .pt, .pth or .bin, on the CPU; nothing that it names is called.

    Raises:
        PickleRejectedError: the file is dangerous, damaged or not a PyTorch pickle.
    """
    try:
        with path.open("rb") as file:
            if not file.read(2).startswith(_MAGIC):
                raise PickleRejectedError(PickleRejection.NOT_A_PICKLE)
        scan = scan_file_path(path)
    except _DAMAGE_ERRORS as error:
        raise PickleRejectedError(PickleRejection.SCAN_FAILED) from error
    dangerous = [
        f"{each.module}.{each.name}" for each in scan.globals if each.safety is SafetyLevel.Dangerous
    ]
    if dangerous:
        raise PickleRejectedError(PickleRejection.DANGEROUS, dangerous)
    if scan.scan_err:
        raise PickleRejectedError(PickleRejection.SCAN_FAILED)
    try:
        return _load(path)
    except pickle.UnpicklingError as error:
        raise PickleRejectedError(PickleRejection.NOT_ONLY_TENSORS) from error
    except _DAMAGE_ERRORS as error:
        raise PickleRejectedError(PickleRejection.DAMAGED) from error


class _Placeholder:
    """Replaces an object of an ignored class."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _load(path: Path) -> Any:
    is_archive = zipfile.is_zipfile(path)
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path) if is_archive else []
    placeholders: list[Any] = [(_Placeholder, name) for name in names if _IGNORED_GLOBALS.fullmatch(name)]
    with torch.serialization.safe_globals(placeholders):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
