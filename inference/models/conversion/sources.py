"""Sources of the conversion: the Hugging Face Hub, S3, or a local path."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from contract.identifiers import S3Location
from contract.manifest import OriginalModel
from contract.source import HubSource
from inference.models.errors import UnusableModelError
from inference.models.formats import ARCHIVES, SINGLE_FILES
from inference.models.manifests import directory_sha256, file_sha256, list_files
from inference.transfer.huggingface import fetch_model
from inference.transfer.s3 import fetch, fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class FetchedModel:
    """A source on the local disk, not yet converted."""

    path: Path
    original: OriginalModel


def fetch_source(source: str, scratch: Path, s3: "S3Client") -> FetchedModel:
    """Fetches the model that a source names.

    Args:
        source: a path, the S3 URI of a file or prefix, or `owner/name@commit` on the Hub.
        scratch: the download directory; files of an earlier call are reused.
        s3: the client for S3 URIs.

    Raises:
        UnusableModelError: the source has no valid form, or the path does not exist.
        HubError: the download from the Hub failed.
        TransferError: the download from S3 failed.
    """
    if source.startswith("s3://"):
        location = _location(source)
        target = scratch / location.key.rstrip("/").rpartition("/")[2]
        (fetch if location.key.endswith(ARCHIVES + SINGLE_FILES) else fetch_prefix)(s3, location, target)
        return _describe(target, source)
    path = Path(source).expanduser()
    if path.exists():
        return _describe(path, path.name or str(path))
    name, at, commit = source.partition("@")
    if not at:
        raise UnusableModelError(
            f"{source} does not exist; give a path, an s3:// URI, or owner/name@commit on the Hugging Face "
            "Hub."
        )
    try:
        hub = HubSource(id=name, revision=commit)
    except ValidationError as error:
        raise UnusableModelError(
            f"{source} is neither a path nor a model on the Hugging Face Hub; write owner/name@commit, with "
            "all 40 digits of the commit hash."
        ) from error
    path = fetch_model(hub, scratch, token=os.environ.get("HF_TOKEN"))
    return _describe(path, name, commit=commit)


def _location(uri: str) -> S3Location:
    try:
        return S3Location.parse(uri)
    except ValueError as error:
        raise UnusableModelError(f"{uri} is not a valid S3 URI: it {error}.") from error


def _describe(path: Path, source: str, *, commit: str | None = None) -> FetchedModel:
    form: Literal["huggingface", "directory", "archive", "single_file"] = "single_file"
    if path.is_dir():
        form = "huggingface" if commit else "directory"
        sha256 = directory_sha256(list_files(path))
    else:
        form = "archive" if path.name.endswith(ARCHIVES) else form
        sha256 = file_sha256(path)
    return FetchedModel(path, OriginalModel(form=form, source=source, commit=commit, sha256=sha256))
