"""Models in a .tar.gz, as SageMaker takes them."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path

from inference.models.errors import UnusableModelError

_MOST_MEMBERS = 10_000
_MOST_BYTES = 100 << 30
_MOST_PADDING = 16 << 20


def unpack(archive: Path, directory: Path) -> None:
    """Puts what the archive holds into a directory, which appears when all of it is there.

    Raises:
        UnusableModelError: it is no .tar.gz, holds too much, or holds what would lie outside the directory.
    """
    unfinished = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _extract(archive, unfinished)
    except (tarfile.ReadError, zlib.error, EOFError, OSError) as error:
        raise UnusableModelError(
            f"{archive.name} cannot be unpacked ({type(error).__name__}): it is cut off, damaged or no "
            ".tar.gz, or the disk is full."
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
            if number >= _MOST_MEMBERS or total > _MOST_BYTES:
                raise _too_much(archive)
            try:
                members.extract(member, directory, filter="data")
            except tarfile.FilterError as error:
                raise UnusableModelError(
                    f"{archive.name}: the member {member.name!r} is a device, or would lie or point outside "
                    "the directory; pack the model anew without it."
                ) from error
        if len(stream.read(_MOST_PADDING)) == _MOST_PADDING:  # to the end, where the checksum is
            raise _too_much(archive)


def _too_much(archive: Path) -> UnusableModelError:
    return UnusableModelError(
        f"{archive.name} holds more than {_MOST_MEMBERS:,} members or {_MOST_BYTES >> 30} GiB: no model does."
    )
