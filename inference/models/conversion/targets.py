"""Where converted models are put, whole or not at all."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from contract.identifiers import S3Location
from contract.manifest import MANIFEST, ModelManifest
from inference.models.errors import UnusableModelError
from inference.models.manifests import read_manifest, write_manifest
from inference.transfer.errors import Obstacle, TransferError
from inference.transfer.s3 import fetch, objects_under, store, store_directory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Target(Protocol):
    """A place for one model."""

    @property
    def workshop(self) -> Path:
        """A directory to make the model in; it need not exist, and what is in it is of no value."""
        ...

    def manifest(self) -> ModelManifest | None:
        """What says that a whole model is there; None where nothing does.

        Raises:
            UnusableModelError: it is damaged, or the place is seen to hold something else.
            TransferError: it cannot be read.
        """
        ...

    def put(self, manifest: ModelManifest) -> None:
        """Takes over the model in the workshop, and then says that it is there.

        Raises:
            UnusableModelError: the place holds files of something else.
            TransferError: the model cannot be stored.
        """
        ...


class LocalTarget:
    """A directory; it appears when all of the model is in it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.expanduser().absolute()
        self.workshop = self._directory.with_name(f"{self._directory.name}.part")

    def manifest(self) -> ModelManifest | None:
        """See `Target.manifest`."""
        manifest = read_manifest(self._directory)
        is_free = not self._directory.exists() or (
            self._directory.is_dir() and not any(self._directory.iterdir())
        )
        if manifest is None and not is_free:
            raise _occupied(str(self._directory), "what is there")
        return manifest

    def put(self, manifest: ModelManifest) -> None:
        """See `Target.put`."""
        write_manifest(self.workshop, manifest)
        self.workshop.replace(self._directory)


class S3Target:
    """A prefix; the manifest is written last, so that without one the model is unfinished."""

    def __init__(self, s3: "S3Client", prefix: S3Location, scratch: Path) -> None:
        self._s3 = s3
        self._prefix = S3Location(prefix.bucket, prefix.key.rstrip("/"))
        self._scratch = scratch
        self.workshop = scratch / "model"

    def manifest(self) -> ModelManifest | None:
        """See `Target.manifest`."""
        place = self._scratch / "manifest"
        try:
            fetch(self._s3, self._location(MANIFEST), place / MANIFEST)
            return read_manifest(place)
        except TransferError as error:
            if error.obstacle is Obstacle.MISSING:
                return None
            raise
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def put(self, manifest: ModelManifest) -> None:
        """See `Target.put`; files that an earlier call has stored are not sent again."""
        ours = {self._location(file.path) for file in manifest.files}
        foreign = sorted(other.uri for other in objects_under(self._s3, self._prefix).keys() - ours)
        if foreign:
            raise _occupied(self._prefix.uri, foreign[0])
        store_directory(self._s3, self.workshop, self._prefix)
        write_manifest(self.workshop, manifest)
        store(self._s3, self.workshop / MANIFEST, self._location(MANIFEST))

    def _location(self, path: str) -> S3Location:
        return S3Location(self._prefix.bucket, f"{self._prefix.key}/{path}")


def _occupied(place: str, what: str) -> UnusableModelError:
    return UnusableModelError(f"{place} holds other files; remove {what}, or name another target.")
