"""Extraction of model.tar.gz archives, the format of SageMaker model data."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path

from inference.models.errors import UnusableModelError

_MAX_MEMBERS = 10_000
_MAX_BYTES = 100 << 30
_MAX_PADDING = 16 << 20


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
    except (tarfile.ReadError, zlib.error, EOFError, OSError) as error:
        raise UnusableModelError(
            f"{archive.name} cannot be unpacked ({type(error).__name__}): it is truncated, damaged or not a "
            ".tar.gz, or the disk is full; upload it again, or use a larger disk."
        ) from error
    else:
        unfinished.replace(directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _extract(archive: Path, directory: Path) -> None:
    total = 0
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream) as members:
        for number, member in enumerate(members):
            total += member.size
            if number >= _MAX_MEMBERS or total > _MAX_BYTES:
                raise _too_large(archive)
            try:
                members.extract(member, directory, filter="data")
            except tarfile.FilterError as error:
                raise UnusableModelError(
                    f"{archive.name}: the member {member.name!r} is a device, or its path or link leads "
                    "outside the directory; pack the model again without it."
                ) from error
        if len(stream.read(_MAX_PADDING)) == _MAX_PADDING:  # read to the end, where gzip verifies its CRC
            raise _too_large(archive)


def _too_large(archive: Path) -> UnusableModelError:
    return UnusableModelError(
        f"{archive.name} has more than {_MAX_MEMBERS:,} members or {_MAX_BYTES >> 30} GiB; "
        "pack the model's files alone."
    )
