"""Extraction of model.tar.gz archives, the format of SageMaker model data."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path

from inference.models.errors import UnusableModelError

_MAX_MEMBERS = 10_000
_MAX_BYTES = 100 << 30
_MAX_EXPANSION = 20
_ALWAYS_ACCEPTED_BYTES = 1 << 30
"""The content may be so many times as large as the archive, and so many bytes more."""

_MAX_READ = 1 << 20
"""Bytes in one piece: tarfile reads long names as a whole."""

_DAMAGE_ERRORS = (
    *(tarfile.TarError, zlib.error, EOFError, OSError, ArithmeticError, ValueError, RecursionError),
    *(LookupError, TypeError),
)
"""Raised by tarfile for damaged archives, and for paths that the disk does not take."""


def unpack(archive: Path, directory: Path) -> None:
    """Extracts an archive; the directory appears only when the extraction is complete.

    Raises:
        UnusableModelError: the file is not a .tar.gz, is too large, or has an unsafe member.
    """
    unfinished = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _extract(archive, unfinished)
    except _DAMAGE_ERRORS as error:
        raise UnusableModelError(
            f"{archive.name} cannot be unpacked ({type(error).__name__}): it is truncated, damaged or not a "
            ".tar.gz, or has too long paths, or the disk is full; pack and upload it again, or use a larger "
            "disk."
        ) from error
    else:
        unfinished.replace(directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _extract(archive: Path, directory: Path) -> None:
    limit = min(_MAX_BYTES, _ALWAYS_ACCEPTED_BYTES + _MAX_EXPANSION * archive.stat().st_size)
    total = 0
    with _GzipFile(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as members:
        for number, member in enumerate(members):
            total += member.size
            if number >= _MAX_MEMBERS or total > limit:
                raise _too_large(archive)
            try:
                members.extract(member, directory, filter="data")
            except tarfile.FilterError as error:
                raise UnusableModelError(
                    f"{archive.name}: the member {member.name!r} is a device, or its path or link leads "
                    "outside the directory; pack the model again without it."
                ) from error
        if len(stream.read(_MAX_READ)) == _MAX_READ:  # read to the end, where gzip verifies its CRC
            raise _too_large(archive)


class _GzipFile(gzip.GzipFile):
    """A file that is read in pieces of limited size; a long name could otherwise fill the memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_READ:
            raise tarfile.ReadError("too long")
        return super().read(size)


def _too_large(archive: Path) -> UnusableModelError:
    return UnusableModelError(
        f"{archive.name} has more than {_MAX_MEMBERS:,} members, or expands to more than "
        f"{_MAX_BYTES >> 30} GiB or {_MAX_EXPANSION} times its size; pack the model's files alone."
    )
