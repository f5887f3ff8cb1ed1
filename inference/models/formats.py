"""Detection of a model's format: diffusers directory, single file, or an archive of either."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from inference.models.archives import unpack
from inference.models.errors import UnusableModelError

MODEL_INDEX = "model_index.json"
REFINER = "refiner"
"""Subdirectory of an SDXL base model with its refiner."""

ARCHIVES = (".tar.gz", ".tgz")
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
SINGLE_FILES = (".safetensors", *PICKLES)
_SUPPORTED = (
    f"a diffusers directory (with {MODEL_INDEX}), a model.tar.gz, or a single file with the suffix "
    f"{', '.join(SINGLE_FILES)}"
)


@dataclass(frozen=True)
class DiffusersDirectory:
    """A model in the diffusers layout, with a subdirectory for each component."""

    path: Path


@dataclass(frozen=True)
class SingleFile:
    """A model in a single checkpoint file, with the tensor names of the original LDM code."""

    path: Path

    @property
    def is_pickle(self) -> bool:
        """Whether the file is a pickle, which could run code when it is loaded."""
        return self.path.suffix in PICKLES


ModelFormat = DiffusersDirectory | SingleFile


def open_model(path: Path, scratch: Path | None = None) -> ModelFormat:
    """Detects the format of the model at a path; archives are unpacked first.

    Args:
        path: a diffusers directory, a single file, a .tar.gz of either, or a directory with one of these.
        scratch: where archives are unpacked; None: a temporary directory.

    Raises:
        UnusableModelError: there is no model at the path, or more than one.
    """
    if not path.exists():
        raise UnusableModelError(f"{path} does not exist; expected {_SUPPORTED}.")
    if path.is_dir():
        return _open_directory(path, scratch)
    if path.name.endswith(ARCHIVES):
        return _open_directory(_unpacked(path, scratch), scratch)
    if path.suffix in SINGLE_FILES:
        return SingleFile(path)
    raise UnusableModelError(f"{path.name} is not in a supported format; expected {_SUPPORTED}.")


def _open_directory(directory: Path, scratch: Path | None) -> ModelFormat:
    if (directory / MODEL_INDEX).is_file():
        return DiffusersDirectory(directory)
    entries = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    models = [path for path in entries if path.is_file() and path.name.endswith(ARCHIVES + SINGLE_FILES)]
    folders = [path for path in entries if path.is_dir()]
    if len(models) > 1:
        names = ", ".join(path.name for path in models)
        raise UnusableModelError(f"{directory.name} has several models, {names}; remove all but one.")
    if models:
        return open_model(models[0], scratch)
    if len(folders) == 1 and (folders[0] / MODEL_INDEX).is_file():
        return DiffusersDirectory(folders[0])  # an archive with the directory itself at the top level
    raise UnusableModelError(f"{directory.name} has no model; expected {_SUPPORTED}.")


def _unpacked(archive: Path, scratch: Path | None) -> Path:
    """The directory with the archive's content; an earlier extraction of the same archive is reused."""
    stat = archive.stat()
    parent = scratch or Path(tempfile.gettempdir(), "models")
    directory = parent / f"{archive.name.partition('.')[0]}-{stat.st_size}-{stat.st_mtime_ns}"
    if not directory.is_dir():
        unpack(archive, directory)
    return directory
