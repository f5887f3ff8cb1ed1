"""Reading of PyTorch files (.ckpt, .pt, .pth, .bin) for tensors and plain values, without unpickling.

Tensors are mapped into memory as by `torch.load(mmap=True)`. Time and memory are linear in the file's size.
"""

import struct
import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.pickle_globals import Storage, TensorView, damaged
from inference.models.pickle_interpreter import MAX_OPCODES, PickleInterpreter
from inference.models.torch_zip import MAX_PICKLE_BYTES, Region, TorchZip

_ZIP_MAGIC = b"PK"
_PICKLE_MAGIC = b"\x80"
"""First bytes of PyTorch files: zip archives since 1.6, pickles before."""

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_NUMEL = struct.Struct("<q")
_MAX_EXPANSION = 2
"""Size of all tensors together, relative to the file's: more than 1 if tensors share data."""

_DAMAGE_ERRORS = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(EOFError, MemoryError, OSError),
    *(struct.error, zipfile.BadZipFile, NotImplementedError),
)
"""Raised for damaged files."""


def read_pickle(path: Path, *, max_opcodes: int = MAX_OPCODES) -> Any:
    """The content of a PyTorch .ckpt, .pt, .pth or .bin, on the CPU.

    Objects of some other classes, which training state has, are replaced by a `Placeholder`.

    Args:
        path: of the file.
        max_opcodes: of the pickle; a million take a second or several on one CPU core.

    Raises:
        PickleRejectedError: the file is unsafe, damaged, too complex or not a PyTorch file.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(2)
        if magic == _ZIP_MAGIC:
            return _read_zip(path, PickleInterpreter(max_opcodes))
        if magic.startswith(_PICKLE_MAGIC):
            return _read_legacy(path, PickleInterpreter(max_opcodes))
    except _DAMAGE_ERRORS as error:
        raise PickleRejectedError(PickleRejection.DAMAGED) from error
    raise PickleRejectedError(PickleRejection.NOT_A_PICKLE)


def _read_zip(path: Path, interpreter: PickleInterpreter) -> Any:
    archive = TorchZip(path)
    content = interpreter.run(BytesIO(archive.pickle))
    _assign_data(path, interpreter, archive.storages(list(interpreter.storages)))
    return content


def _read_legacy(path: Path, interpreter: PickleInterpreter) -> Any:
    """Reads a file of several pickles, followed by the storages, each preceded by its number of elements."""
    with path.open("rb") as file:
        stream = BytesIO(file.read(MAX_PICKLE_BYTES))
    magic, version, system = (interpreter.run(stream) for _ in range(3))
    if (magic, version) != (_LEGACY_MAGIC, _LEGACY_VERSION) or not system["little_endian"]:
        raise damaged()
    content = interpreter.run(stream)
    keys = interpreter.run(stream)
    storages = interpreter.storages
    if not isinstance(keys, list) or len(keys) != len(storages):
        raise damaged()
    regions = _legacy_regions((storages[key] for key in keys), stream.tell())
    with path.open("rb") as file:
        for key, region in regions.items():
            file.seek(region.start - _NUMEL.size)
            if _NUMEL.unpack(file.read(_NUMEL.size)) != (storages[key].numel,):
                raise damaged()
    _assign_data(path, interpreter, regions)
    return content


def _legacy_regions(storages: Iterable[Storage], start: int) -> dict[str, Region]:
    regions = {}
    for storage in storages:
        regions[storage.key] = Region(start + _NUMEL.size, storage.nbytes)
        start += _NUMEL.size + storage.nbytes
    return regions


def _assign_data(path: Path, interpreter: PickleInterpreter, regions: Mapping[str, Region]) -> None:
    size = path.stat().st_size
    _check_sizes(interpreter, regions, size)
    file: Any = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=size)
    storages = {key: _slice(file, regions[key], storage) for key, storage in interpreter.storages.items()}
    for tensor, storage, offset, shape, stride in interpreter.views:
        tensor.set_(storages[storage.key], offset, shape, stride)


def _check_sizes(interpreter: PickleInterpreter, regions: Mapping[str, Region], size: int) -> None:
    """Checks that storages and tensors have data in the file: each of them, and all together.

    A few bytes could otherwise describe a tensor of any size: with a stride of 0, or by views of one storage.
    """
    storages = interpreter.storages
    fits = (
        all(regions[key].nbytes == storage.nbytes for key, storage in storages.items())
        and all(region.start + region.nbytes <= size for region in regions.values())
        and all(map(_fits, interpreter.views))
        and sum(region.nbytes for region in regions.values()) <= size
        and sum(_nbytes(view) for view in interpreter.views) <= _MAX_EXPANSION * size
    )
    if not fits:
        raise PickleRejectedError(PickleRejection.OVERSIZED)


def _slice(file: Any, region: Region, storage: Storage) -> Any:
    """The storage's data; a copy if they are not aligned."""
    data = file[region.start : region.start + region.nbytes]
    is_aligned = region.start % storage.dtype.itemsize == 0
    return data if is_aligned else data.clone()


def _fits(view: TensorView) -> bool:
    """Whether all elements are in the storage, which is at least as large as the tensor."""
    nbytes = _nbytes(view)
    if not nbytes:
        return True
    last = view.offset + sum((n - 1) * step for n, step in zip(view.shape, view.stride, strict=True))
    return max((last + 1) * view.tensor.itemsize, nbytes) <= view.storage.nbytes


def _nbytes(view: TensorView) -> int:
    nbytes = view.tensor.itemsize
    for length in view.shape:
        nbytes *= length
    return nbytes
