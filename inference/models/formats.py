"""A model behind a path: which of its forms it has there."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from inference.models.archives import unpack
from inference.models.errors import UnusableModelError

INDEX = "model_index.json"
REFINER = "refiner"
"""The directory of an SDXL refiner in that of its base."""

ARCHIVES = (".tar.gz", ".tgz")
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
SINGLE_FILES = (".safetensors", *PICKLES)
_FORMS = (
    f"a diffusers directory (with {INDEX}), a model.tar.gz, or one file that ends in "
    f"{', '.join(SINGLE_FILES)}"
)


@dataclass(frozen=True)
class DiffusersDirectory:
    """A model in parts, each in a directory of its own."""

    path: Path


@dataclass(frozen=True)
class SingleFile:
    """A model whose parts lie in one file, as their makers name them."""

    path: Path

    @property
    def is_pickle(self) -> bool:
        """Whether reading it could run what its maker wants."""
        return self.path.suffix in PICKLES


OpenModel = DiffusersDirectory | SingleFile


def open_model(path: Path, scratch: Path | None = None) -> OpenModel:
    """The model at a path.

    Args:
        path: a diffusers directory, a single file, a .tar.gz of either, or a directory with one of these.
        scratch: where archives are unpacked; None is a place among the temporary files.

    Raises:
        UnusableModelError: there is no model, or more than one.
    """
    if not path.exists():
        raise UnusableModelError(f"{path} does not exist; name {_FORMS}.")
    if path.is_dir():
        return _open_directory(path, scratch)
    if path.name.endswith(ARCHIVES):
        return _open_directory(_unpacked(path, scratch), scratch)
    if path.suffix in SINGLE_FILES:
        return SingleFile(path)
    raise UnusableModelError(f"{path.name} is no model; name {_FORMS}.")


def _open_directory(directory: Path, scratch: Path | None) -> OpenModel:
    if (directory / INDEX).is_file():
        return DiffusersDirectory(directory)
    entries = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    models = [path for path in entries if path.is_file() and path.name.endswith(ARCHIVES + SINGLE_FILES)]
    folders = [path for path in entries if path.is_dir()]
    if len(models) > 1:
        names = ", ".join(path.name for path in models)
        raise UnusableModelError(f"{directory.name} holds several models, {names}; leave one of them.")
    if models:
        return open_model(models[0], scratch)
    if len(folders) == 1 and (folders[0] / INDEX).is_file():
        return DiffusersDirectory(folders[0])  # as archives of a directory have it
    raise UnusableModelError(f"{directory.name} holds no model; put there {_FORMS}.")


def _unpacked(archive: Path, scratch: Path | None) -> Path:
    """The directory with what the archive holds; the work of an earlier call is used again."""
    state = archive.stat()
    place = scratch or Path(tempfile.gettempdir(), "models")
    directory = place / f"{archive.name.partition('.')[0]}-{state.st_size}-{state.st_mtime_ns}"
    if not directory.is_dir():
        unpack(archive, directory)
    return directory
