"""The layout of the zip archives that torch.save writes."""

import os
import struct
import zipfile
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from inference.models.pickle_errors import PickleRejectedError, PickleRejection
from inference.models.pickle_globals import damaged

MAX_PICKLE_BYTES = 32 << 20
_MAX_DIRECTORY_BYTES = 16 << 20
_MAX_RECORDS = 110_000
"""One for each storage, and a few others."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_SIGNATURE = b"PK\3\4"
_ENCRYPTED = 1
_PICKLE = "data.pkl"
_BYTE_ORDER = "byteorder"


class Region(NamedTuple):
    """A part of a file, in bytes."""

    start: int
    nbytes: int


class TorchZip:
    """The records of an archive, whose data are stored uncompressed. No data are read.

    Attributes:
        pickle: of the content.
    """

    def __init__(self, path: Path) -> None:
        """Reads the directory.

        Raises:
            PickleRejectedError: the archive has compressed records, too many, or no pickle.
            Exception: the archive is damaged.
        """
        with _DirectoryFile(path) as directory, zipfile.ZipFile(directory) as archive:
            records = archive.infolist()
        if len(records) > _MAX_RECORDS:
            raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
        if any(each.compress_type != zipfile.ZIP_STORED or each.flag_bits & _ENCRYPTED for each in records):
            raise PickleRejectedError(PickleRejection.COMPRESSED)
        self._path = path
        self._records = {each.filename: each for each in records}
        pickles = [name for name in self._records if name.split("/")[1:] == [_PICKLE]]
        if len(pickles) != 1:
            raise damaged()
        self._prefix = pickles[0].removesuffix(_PICKLE)
        with path.open("rb") as file:
            self._check_byte_order(file.fileno())
            self.pickle = self._read(file.fileno(), _PICKLE, most=MAX_PICKLE_BYTES)

    def storages(self, keys: list[str]) -> dict[str, Region]:
        """The regions of the storages, by key.

        Raises:
            Exception: a storage is missing.
        """
        with self._path.open("rb") as file:
            return {key: self._region(file.fileno(), f"data/{key}") for key in keys}

    def _check_byte_order(self, file: int) -> None:
        exists = f"{self._prefix}{_BYTE_ORDER}" in self._records
        if exists and self._read(file, _BYTE_ORDER, most=len(b"little")) != b"little":
            raise damaged()

    def _read(self, file: int, name: str, *, most: int) -> bytes:
        region = self._region(file, name)
        if region.nbytes > most:
            raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
        return os.pread(file, region.nbytes, region.start)

    def _region(self, file: int, name: str) -> Region:
        record = self._records[self._prefix + name]
        header = os.pread(file, _LOCAL_HEADER.size, record.header_offset)
        signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = record.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        if signature != _LOCAL_SIGNATURE or start + record.file_size > os.fstat(file).st_size:
            raise damaged()
        return Region(start, record.file_size)


class _DirectoryFile(FileIO):
    """A zip file of which only a directory of limited size can be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return super().read(_MAX_DIRECTORY_BYTES)
        if size > _MAX_DIRECTORY_BYTES:
            raise PickleRejectedError(PickleRejection.TOO_COMPLEX)
        return super().read(size)
