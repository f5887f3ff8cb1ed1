"""Where models are converted from: the hub, S3, or a path."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from contract.identifiers import S3Location
from contract.manifest import Original
from contract.source import HubSource
from inference.models.errors import UnusableModelError
from inference.models.formats import ARCHIVES, SINGLE_FILES
from inference.models.manifests import list_files, sha256_of, sha256_of_all
from inference.transfer.huggingface import fetch_model
from inference.transfer.s3 import fetch, fetch_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Obtained:
    """A model on this machine, as it was found."""

    path: Path
    original: Original


def obtain(source: str, scratch: Path, s3: "S3Client") -> Obtained:
    """The model that a source names.

    Args:
        source: a path, an S3 URI of a file or of a prefix, or the hub's `owner/name@commit`.
        scratch: where it is fetched to; what is there from an earlier call is used again.
        s3: what S3 is read with.

    Raises:
        UnusableModelError: the source is no such thing, or a path to nothing.
        HubError: the hub does not give it.
        TransferError: S3 does not give it.
    """
    if source.startswith("s3://"):
        location = _location(source)
        target = scratch / location.key.rstrip("/").rpartition("/")[2]
        (fetch if location.key.endswith(ARCHIVES + SINGLE_FILES) else fetch_prefix)(s3, location, target)
        return _described(target, source)
    path = Path(source).expanduser()
    if path.exists():
        return _described(path, path.name or str(path))
    name, at, commit = source.partition("@")
    if not at:
        raise UnusableModelError(
            f"{source} does not exist; give a path, an s3:// URI or the Hugging Face hub's owner/name@commit."
        )
    try:
        hub = HubSource(id=name, revision=commit)
    except ValidationError as error:
        raise UnusableModelError(
            f"{source} is neither a path nor a model on the hub; the hub's are owner/name@commit, all 40 "
            "digits of the commit's hash."
        ) from error
    path = fetch_model(hub, scratch, token=os.environ.get("HF_TOKEN"))
    return _described(path, name, commit=commit)


def _location(uri: str) -> S3Location:
    try:
        return S3Location.parse(uri)
    except ValueError as error:
        raise UnusableModelError(f"{uri} is no S3 URI: it {error}.") from error


def _described(path: Path, source: str, *, commit: str | None = None) -> Obtained:
    form: Literal["huggingface", "directory", "archive", "single_file"] = "single_file"
    if path.is_dir():
        form = "huggingface" if commit else "directory"
        sha256 = sha256_of_all(list_files(path))
    else:
        form = "archive" if path.name.endswith(ARCHIVES) else form
        sha256 = sha256_of(path)
    return Obtained(path, Original(form=form, source=source, commit=commit, sha256=sha256))
