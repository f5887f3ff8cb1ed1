"""Model manifests (model.json): reading, writing, and the defaults of models that have none."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contract.family import Family
from contract.manifest import MANIFEST, ManifestFile, ModelManifest
from contract.model import ModelDeclaration, ModelDefaults
from inference.models.errors import UnusableModelError
from inference.models.family import EPSILON, ModelType, model_type_of_directory

_HASHING_THREADS = 4
_SD2_BASE_SIZE = 512


def read_manifest(directory: Path) -> ModelManifest | None:
    """The manifest in a directory; None if there is none.

    Raises:
        UnusableModelError: the manifest is not valid.
    """
    path = directory / MANIFEST
    if not path.is_file():
        return None
    try:
        return ModelManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {_reason(each)}" for each in error.errors()
        )
        raise UnusableModelError(
            f"{MANIFEST} is not valid: {faults}; correct it, or convert the model again."
        ) from error


def write_manifest(directory: Path, manifest: ModelManifest) -> None:
    """Writes the manifest into the model's directory; unset fields are omitted."""
    text = manifest.model_dump_json(indent=2, exclude_none=True, exclude_unset=True)
    (directory / MANIFEST).write_text(text + "\n")


def declaration_of(directory: Path, name: str) -> ModelDeclaration:
    """The declaration of the model in a directory: its manifest's values, otherwise its family's.

    Raises:
        UnusableModelError: files are missing or damaged, or the manifest's defaults exceed its limits.
    """
    manifest = read_manifest(directory) or default_manifest(model_type_of_directory(directory))
    try:
        return manifest.declaration(name)
    except ValidationError as error:
        raise UnusableModelError(f"{MANIFEST}: {_reason(error.errors()[0])}; correct it.") from error


def revision_of(directory: Path) -> str | None:
    """The revision in the manifest: a Hub commit or a SHA-256; None if it has none."""
    manifest = read_manifest(directory)
    return manifest.original.revision if manifest and manifest.original else None


def default_manifest(model_type: ModelType) -> ModelManifest:
    """The manifest of a model that comes without one."""
    if model_type.family is Family.SD2 and model_type.prediction_type == EPSILON:
        return ModelManifest(
            family=model_type.family, defaults=ModelDefaults(width=_SD2_BASE_SIZE, height=_SD2_BASE_SIZE)
        )
    return ModelManifest(family=model_type.family)


def list_files(directory: Path) -> tuple[ManifestFile, ...]:
    """The files of a directory with sizes and SHA-256, without the manifest and hidden files."""
    paths = [
        path
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not any(step.startswith(".") for step in path.relative_to(directory).parts)
    ]

    def describe(path: Path) -> ManifestFile:
        return ManifestFile(
            path=path.relative_to(directory).as_posix(), size=path.stat().st_size, sha256=file_sha256(path)
        )

    with ThreadPoolExecutor(_HASHING_THREADS) as threads:
        return tuple(threads.map(describe, (path for path in paths if path != directory / MANIFEST)))


def file_sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def directory_sha256(files: Iterable[ManifestFile]) -> str:
    """The SHA-256 of a directory's files: of the sorted lines `SHA-256  path`, as sha256sum writes them."""
    lines = sorted(f"{file.sha256}  {file.path}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _reason(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")
