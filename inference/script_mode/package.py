"""Packages a model and the engine as model.tar.gz for AWS's stock containers.

`python -m inference.script_mode.package MODEL TARGET`
"""

import argparse
import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("contract", "guarded_http", "inference")
_ENTRY = Path(__file__).with_name("entry.py")
_CODE = "code"


class PackageError(Exception):
    """The model cannot be packaged; the message gives the reason."""


def write_package(model: Path, target: Path) -> None:
    """Writes a model.tar.gz with the model's files and, under `code/`, the engine.

    The archive is reproducible. `target` is replaced only when the archive is complete.

    Args:
        model: a directory in the diffusers layout.
        target: the archive to write.

    Raises:
        PackageError: the directory contains no model.
    """
    if not (model / "model_index.json").is_file():
        raise PackageError(f"{model} has no model_index.json; pass a directory in the diffusers layout.")
    members = dict(_model_files(model)) | dict(_code_files())
    unfinished = target.with_name(f"{target.name}.part")
    with (
        unfinished.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed,  # weights barely compress
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(members):
            _add(archive, name, members[name])
        _add_requirements(archive)
    unfinished.replace(target)


def _model_files(model: Path) -> Iterator[tuple[str, Path]]:
    for path in model.rglob("*"):
        name = path.relative_to(model)
        if path.is_file() and name.parts[0] != _CODE:
            yield name.as_posix(), path


def _code_files() -> Iterator[tuple[str, Path]]:
    yield f"{_CODE}/inference.py", _ENTRY
    for package in _PACKAGES:
        for path in (_ROOT / package).rglob("*.py"):
            yield f"{_CODE}/package/{path.relative_to(_ROOT).as_posix()}", path


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    with path.open("rb") as content:
        archive.addfile(_member(name, path.stat().st_size), content)


def _add_requirements(archive: tarfile.TarFile) -> None:
    """Adds the requirements that AWS's container installs before it loads the model."""
    lists = (_ROOT / "inference" / "requirements.txt", _ROOT / "inference" / "requirements-alone.txt")
    content = b"".join(each.read_bytes() for each in lists)
    archive.addfile(_member(f"{_CODE}/requirements.txt", len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A file entry with fixed owner, mode and time."""
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m inference.script_mode.package", description=__doc__)
    parser.add_argument("model", type=Path, help="a directory in the diffusers layout")
    parser.add_argument("target", type=Path, help="the model.tar.gz to write")
    arguments = parser.parse_args()
    try:
        write_package(arguments.model, arguments.target)
    except PackageError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
