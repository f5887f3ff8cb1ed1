"""Downloads from S3: concurrent, verified by checksum, and resumable.

boto3's transfer manager cannot resume a download, skip a file that is already present, or verify the
checksum of an object that it reads in parts.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import HTTPClientError, IncompleteReadError

from contract.identifiers import S3Location
from inference.transfer.checksums import Checksum, checksum_of
from inference.transfer.errors import TransferError, TransferFailure, transfer_errors
from inference.transfer.partial_download import Part, PartialDownload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_LOGGER = logging.getLogger(__name__)
_PART_BYTES = 16 << 20
_BLOCK_BYTES = 1 << 20
_CONCURRENT_REQUESTS = 10  # as many as boto3's own transfer manager makes
_ATTEMPTS = 4
"""To read a part; botocore retries requests, but not the reading of a response's body."""

_T = TypeVar("_T")


def list_objects(s3: "S3Client", prefix: S3Location) -> dict[S3Location, int]:
    """The objects under a prefix and their sizes in bytes; folder markers are omitted.

    Raises:
        TransferError: the request failed.
    """
    with transfer_errors(prefix):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=folder(prefix))
        return {
            S3Location(prefix.bucket, item["Key"]): item["Size"]
            for page in pages
            for item in page.get("Contents", [])
            if not item["Key"].endswith("/")
        }


def fetch(s3: "S3Client", source: S3Location, target: Path, *, part_bytes: int = _PART_BYTES) -> None:
    """Downloads an object, unless the file already has its content.

    Args:
        s3: the client.
        source: the object.
        target: the file; its directory is created.
        part_bytes: size of a ranged request.

    Raises:
        TransferError: the download failed; its complete parts are kept, and the next call resumes.
    """
    _fetch_all(s3, {source: target}, part_bytes)


def fetch_prefix(
    s3: "S3Client", prefix: S3Location, directory: Path, *, part_bytes: int = _PART_BYTES
) -> None:
    """Downloads all objects under a prefix; see `fetch`. Other files in the directory are kept.

    Raises:
        TransferError: there are no objects, a key leads outside the directory, or a download failed.
    """
    targets = {}
    with transfer_errors(prefix):
        objects = list_objects(s3, prefix)
        if not objects:
            raise TransferError(TransferFailure.NOT_FOUND, prefix)
        targets = {source: directory / _relative(source, prefix) for source in objects}
        _check_disk_space(
            prefix, directory, sum(objects[source] - _disk_usage(path) for source, path in targets.items())
        )
    _fetch_all(s3, targets, part_bytes)


def head_object(s3: "S3Client", location: S3Location) -> "HeadObjectOutputTypeDef":
    """An object's size, ETag and checksums."""
    return s3.head_object(Bucket=location.bucket, Key=location.key, ChecksumMode="ENABLED")


def object_checksum(s3: "S3Client", location: S3Location, head: "HeadObjectOutputTypeDef") -> Checksum | None:
    """The strongest usable checksum in the response to `head_object`; None if there is none."""

    def part_size(number: int) -> int:
        return s3.head_object(Bucket=location.bucket, Key=location.key, PartNumber=number)["ContentLength"]

    return checksum_of(head, part_size)


def folder(prefix: S3Location) -> str:
    """The prefix with a slash at its end, unless it is empty."""
    return f"{prefix.key.rstrip('/')}/" if prefix.key else ""


def run_concurrently(threads: Executor, calls: Iterable[Callable[[], _T]]) -> list[_T]:
    """Runs the calls concurrently; raises the first error when all running calls have ended."""
    futures = [threads.submit(call) for call in calls]
    try:
        for future in as_completed(futures):
            future.result()
    finally:
        for future in futures:
            future.cancel()
        wait(futures)
    return [future.result() for future in futures]


@dataclass(frozen=True)
class _Download:
    """A running download of an object."""

    source: S3Location
    etag: str
    checksum: Checksum | None
    file: PartialDownload

    def finish(self) -> None:
        with transfer_errors(self.source):
            if self.checksum and not self.checksum.matches(self.file.path):
                self.file.discard()
                raise TransferError(TransferFailure.CHECKSUM_MISMATCH, self.source)
            self.file.complete()


def _fetch_all(s3: "S3Client", targets: Mapping[S3Location, Path], part_bytes: int) -> None:
    with ThreadPoolExecutor(_CONCURRENT_REQUESTS) as threads:
        started = run_concurrently(
            threads, (partial(_start, s3, *target, part_bytes) for target in targets.items())
        )
        downloads = [download for download in started if download is not None]
        run_concurrently(
            threads,
            (
                partial(_fetch_part, s3, download, part)
                for download in downloads
                for part in download.file.missing
            ),
        )
        run_concurrently(threads, (download.finish for download in downloads))
    _LOGGER.info("downloaded %d of %d objects", len(downloads), len(targets))


def _start(s3: "S3Client", source: S3Location, target: Path, part_bytes: int) -> _Download | None:
    """Starts or resumes a download; None if the file already has the object's content."""
    with transfer_errors(source):
        head = head_object(s3, source)
        size, etag = head["ContentLength"], head["ETag"]
        checksum = object_checksum(s3, source, head)
        if checksum and target.is_file() and target.stat().st_size == size and checksum.matches(target):
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_disk_space(source, target.parent, size - _disk_usage(target))
        file = PartialDownload(target, size=size, version=etag, part_bytes=part_bytes)
        return _Download(source, etag, checksum, file)


def _fetch_part(s3: "S3Client", download: _Download, part: Part) -> None:
    """Downloads a part, again if the connection breaks."""
    bucket, key = download.source
    byte_range = f"bytes={part.start}-{part.end - 1}"
    with transfer_errors(download.source):
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response = s3.get_object(Bucket=bucket, Key=key, IfMatch=download.etag, Range=byte_range)
                with closing(response["Body"]) as body:
                    download.file.write(part, body.iter_chunks(_BLOCK_BYTES))
            except (HTTPClientError, IncompleteReadError):
                if attempt == _ATTEMPTS:
                    raise
            else:
                return


def _relative(source: S3Location, prefix: S3Location) -> str:
    """The object's path relative to the prefix."""
    path = source.key.removeprefix(folder(prefix))
    if any(step in ("", ".", "..") or "\\" in step or "\0" in step for step in path.split("/")):
        raise TransferError(TransferFailure.UNSAFE_KEY, source)
    return path


def _disk_usage(target: Path) -> int:
    """Bytes on disk of the file and of its partial download."""
    files = (target, target.with_name(f"{target.name}.part"))
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())


def _check_disk_space(location: S3Location, directory: Path, needed_bytes: int) -> None:
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if needed_bytes > shutil.disk_usage(existing).free:
        raise TransferError(TransferFailure.DISK_FULL, location)
