"""Targets of the conversion: a local directory or an S3 prefix, written completely or not at all."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from contract.identifiers import S3Location
from contract.manifest import MANIFEST, ModelManifest
from inference.models.errors import UnusableModelError
from inference.models.manifests import read_manifest, write_manifest
from inference.transfer.errors import TransferError, TransferFailure
from inference.transfer.s3 import fetch, list_objects
from inference.transfer.s3_upload import upload, upload_directory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Target(Protocol):
    """The destination of one converted model."""

    @property
    def staging_directory(self) -> Path:
        """A temporary directory for the converted model; it need not exist, and may be deleted."""
        ...

    def manifest(self) -> ModelManifest | None:
        """The manifest of the complete model at the target; None if there is none.

        Raises:
            UnusableModelError: the manifest is not valid, or the target has other files.
            TransferError: the target cannot be read.
        """
        ...

    def publish(self, manifest: ModelManifest) -> None:
        """Moves or uploads the model from the staging directory, and writes the manifest last.

        Raises:
            UnusableModelError: the target has other files.
            TransferError: the upload failed.
        """
        ...


class LocalTarget:
    """A local directory, which is created by a rename once the model is complete."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.expanduser().absolute()
        self.staging_directory = self._directory.with_name(f"{self._directory.name}.part")

    def manifest(self) -> ModelManifest | None:
        """See `Target.manifest`."""
        manifest = read_manifest(self._directory)
        is_free = not self._directory.exists() or (
            self._directory.is_dir() and not any(self._directory.iterdir())
        )
        if manifest is None and not is_free:
            raise _not_empty(str(self._directory), "them")
        return manifest

    def publish(self, manifest: ModelManifest) -> None:
        """See `Target.publish`."""
        write_manifest(self.staging_directory, manifest)
        self.staging_directory.replace(self._directory)


class S3Target:
    """An S3 prefix; the manifest is uploaded last, so that a model without one is incomplete."""

    def __init__(self, s3: "S3Client", prefix: S3Location, scratch: Path) -> None:
        self._s3 = s3
        self._prefix = S3Location(prefix.bucket, prefix.key.rstrip("/"))
        self._scratch = scratch
        self.staging_directory = scratch / "model"

    def manifest(self) -> ModelManifest | None:
        """See `Target.manifest`."""
        directory = self._scratch / "manifest"
        try:
            fetch(self._s3, self._location(MANIFEST), directory / MANIFEST)
            return read_manifest(directory)
        except TransferError as error:
            if error.failure is TransferFailure.NOT_FOUND:
                return None
            raise
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def publish(self, manifest: ModelManifest) -> None:
        """See `Target.publish`; files that an earlier call has uploaded are skipped."""
        own = {self._location(file.path) for file in manifest.files}
        others = sorted(other.uri for other in list_objects(self._s3, self._prefix).keys() - own)
        if others:
            raise _not_empty(self._prefix.uri, others[0])
        upload_directory(self._s3, self.staging_directory, self._prefix)
        write_manifest(self.staging_directory, manifest)
        upload(self._s3, self.staging_directory / MANIFEST, self._location(MANIFEST))

    def _location(self, path: str) -> S3Location:
        return S3Location(self._prefix.bucket, f"{self._prefix.key}/{path}")


def _not_empty(target: str, files: str) -> UnusableModelError:
    return UnusableModelError(f"{target} has other files; remove {files}, or choose another target.")
