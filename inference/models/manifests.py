"""A model's manifest and its directory: reading the one, and checking the other against it."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from contract.family import Family
from contract.manifest import MANIFEST, ManifestFile, ModelManifest
from contract.model import ModelDeclaration, ModelDefaults
from inference.models.errors import UnusableModelError
from inference.models.family import EPSILON, Traits, traits_of_directory

_HASHES_AT_ONCE = 4
_SD2_BASE_SIZE = 512


def read_manifest(directory: Path) -> ModelManifest | None:
    """The manifest in a directory; None where there is none.

    Raises:
        UnusableModelError: it is damaged.
    """
    path = directory / MANIFEST
    if not path.is_file():
        return None
    try:
        return ModelManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors())
        raise UnusableModelError(f"{MANIFEST} is not valid: {faults}.") from error


def write_manifest(directory: Path, manifest: ModelManifest) -> None:
    """Puts the manifest into the directory."""
    text = manifest.model_dump_json(indent=2, exclude_none=True, exclude_unset=True)
    (directory / MANIFEST).write_text(text + "\n")


def declaration_of(directory: Path, name: str) -> ModelDeclaration:
    """What the model in a directory declares of itself: its manifest's words, else its family's.

    Raises:
        UnusableModelError: its files are missing or damaged.
    """
    manifest = read_manifest(directory) or manifest_of(traits_of_directory(directory))
    try:
        return manifest.declaration(name)
    except ValidationError as error:
        raise UnusableModelError(
            f"{MANIFEST}: {error.errors()[0]['msg'].removeprefix('Value error, ')}."
        ) from error


def revision_of(directory: Path) -> str | None:
    """What tells the weights in a directory from all others; None where nobody has noted it."""
    manifest = read_manifest(directory)
    return manifest.original.revision if manifest and manifest.original else None


def manifest_of(traits: Traits) -> ModelManifest:
    """The manifest of a model that says nothing of itself."""
    if traits.family is Family.SD2 and traits.prediction_type == EPSILON:
        return ModelManifest(
            family=traits.family, defaults=ModelDefaults(width=_SD2_BASE_SIZE, height=_SD2_BASE_SIZE)
        )
    return ModelManifest(family=traits.family)


def list_files(directory: Path) -> tuple[ManifestFile, ...]:
    """The files of a directory with their digests; its manifest and what is hidden are left out."""
    paths = [
        path
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not any(step.startswith(".") for step in path.relative_to(directory).parts)
    ]

    def describe(path: Path) -> ManifestFile:
        return ManifestFile(
            path=path.relative_to(directory).as_posix(), size=path.stat().st_size, sha256=sha256_of(path)
        )

    with ThreadPoolExecutor(_HASHES_AT_ONCE) as threads:
        return tuple(threads.map(describe, (path for path in paths if path != directory / MANIFEST)))


def verify(directory: Path, manifest: ModelManifest) -> None:
    """Checks that the manifest's files are there as it describes them; others are not looked at.

    Raises:
        UnusableModelError: files are missing or differ; the sentence names them.
    """

    def fault(file: ManifestFile) -> str | None:
        path = directory / file.path
        if not path.is_file():
            return f"{file.path} is missing"
        if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            return f"{file.path} is not what it was"
        return None

    with ThreadPoolExecutor(_HASHES_AT_ONCE) as threads:
        faults = [found for found in threads.map(fault, manifest.files) if found]
    if faults:
        raise UnusableModelError(f"The model is not as {MANIFEST} says: {', '.join(faults)}; fetch it again.")


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_all(files: Iterable[ManifestFile]) -> str:
    """The SHA-256 of a directory: of its files' `SHA-256`, two spaces and path, by line."""
    lines = sorted(f"{file.sha256}  {file.path}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
