"""Objects between S3 and this machine: side by side, checked, and taken up again after an interruption.

boto3's own transfers, which the uploads use, notice an object that changes meanwhile; they do not resume a
download, leave alone what is there already, or check a download in parts against the object's checksum.
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

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from contract.identifiers import S3Location
from inference.transfer.checksums import Checksum, checksum_of
from inference.transfer.errors import Obstacle, TransferError, obstacle_of, translated
from inference.transfer.partial_file import Part, PartialFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_LOGGER = logging.getLogger(__name__)
_PART_BYTES = 16 << 20
_BLOCK_BYTES = 1 << 20
_FILES_AT_ONCE = 4
_REQUESTS_AT_ONCE = 10  # the connections that a client of boto3 keeps
_ATTEMPTS = 4
"""At reading a part: botocore repeats requests, but not what it has begun to hand out."""

_T = TypeVar("_T")


def objects_under(s3: "S3Client", prefix: S3Location) -> dict[S3Location, int]:
    """The objects under a prefix, with their bytes; the empty ones that stand for folders are left out.

    Raises:
        TransferError: S3 does not list them.
    """
    with translated(prefix):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=_folder(prefix))
        return {
            S3Location(prefix.bucket, item["Key"]): item["Size"]
            for page in pages
            for item in page.get("Contents", [])
            if not item["Key"].endswith("/")
        }


def fetch(s3: "S3Client", source: S3Location, target: Path, *, part_bytes: int = _PART_BYTES) -> None:
    """Puts an object's content into a file; one that has it already stays as it is.

    Args:
        s3: the client to read with.
        source: the object.
        target: the file; its directory is made.
        part_bytes: how much a request asks for.

    Raises:
        TransferError: whatever kept the file from being written; what has arrived is kept beside it.
    """
    _fetch_all(s3, {source: target}, part_bytes)


def fetch_prefix(
    s3: "S3Client", prefix: S3Location, directory: Path, *, part_bytes: int = _PART_BYTES
) -> None:
    """Puts everything under a prefix into a directory; see `fetch`. Other files in it are left alone.

    Raises:
        TransferError: there is nothing, a key leads out of the directory, or a transfer failed.
    """
    targets = {}
    with translated(prefix):
        objects = objects_under(s3, prefix)
        if not objects:
            raise TransferError(Obstacle.MISSING, prefix)
        targets = {source: directory / _relative(source, prefix) for source in objects}
        _check_room(
            prefix, directory, sum(objects[source] - _occupied(path) for source, path in targets.items())
        )
    _fetch_all(s3, targets, part_bytes)


def store(s3: "S3Client", source: Path, target: S3Location) -> None:
    """Puts a file's content into an object; one that has it already stays as it is.

    Raises:
        TransferError: it could not be stored.
    """
    with translated(target):
        try:
            head = _head(s3, target)
        except ClientError as error:
            if obstacle_of(error) not in (Obstacle.MISSING, Obstacle.FORBIDDEN):
                raise  # without s3:ListBucket what is missing is forbidden
        else:
            checksum = _checksum(s3, target, head)
            if checksum and head["ContentLength"] == source.stat().st_size and checksum.matches(source):
                return
        s3.upload_file(str(source), *target, ExtraArgs={"ChecksumAlgorithm": "SHA256"})


def store_directory(s3: "S3Client", directory: Path, prefix: S3Location) -> None:
    """Puts every file of a directory under a prefix; see `store`.

    Raises:
        TransferError: a file could not be stored.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        _all(
            threads,
            (
                partial(
                    store,
                    s3,
                    path,
                    S3Location(prefix.bucket, _folder(prefix) + path.relative_to(directory).as_posix()),
                )
                for path in files
            ),
        )


@dataclass(frozen=True)
class _Download:
    """An object on its way."""

    source: S3Location
    etag: str
    checksum: Checksum | None
    file: PartialFile

    def finish(self) -> None:
        with translated(self.source):
            if self.checksum and not self.checksum.matches(self.file.path):
                self.file.discard()
                raise TransferError(Obstacle.DAMAGED, self.source)
            self.file.complete()


def _fetch_all(s3: "S3Client", targets: Mapping[S3Location, Path], part_bytes: int) -> None:
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as threads:
        begun = _all(threads, (partial(_begin, s3, *target, part_bytes) for target in targets.items()))
        downloads = [download for download in begun if download is not None]
        _all(
            threads,
            (
                partial(_fetch_part, s3, download, part)
                for download in downloads
                for part in download.file.missing
            ),
        )
        _all(threads, (download.finish for download in downloads))
    _LOGGER.info("fetched %d of %d objects", len(downloads), len(targets))


def _begin(s3: "S3Client", source: S3Location, target: Path, part_bytes: int) -> _Download | None:
    """What is to be read; None where the file is there already."""
    with translated(source):
        head = _head(s3, source)
        size, etag = head["ContentLength"], head["ETag"]
        checksum = _checksum(s3, source, head)
        if checksum and target.is_file() and target.stat().st_size == size and checksum.matches(target):
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(source, target.parent, size - _occupied(target))
        file = PartialFile(target, size=size, version=etag, part_bytes=part_bytes)
        return _Download(source, etag, checksum, file)


def _fetch_part(s3: "S3Client", download: _Download, part: Part) -> None:
    """Reads a part; what breaks off is asked for again."""
    bucket, key = download.source
    bytes_asked = f"bytes={part.start}-{part.end - 1}"
    with translated(download.source):
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = s3.get_object(Bucket=bucket, Key=key, IfMatch=download.etag, Range=bytes_asked)
                with closing(answer["Body"]) as body:
                    download.file.write(part, body.iter_chunks(_BLOCK_BYTES))
            except (HTTPClientError, IncompleteReadError):
                if attempt == _ATTEMPTS:
                    raise
            else:
                return


def _head(s3: "S3Client", location: S3Location) -> "HeadObjectOutputTypeDef":
    return s3.head_object(Bucket=location.bucket, Key=location.key, ChecksumMode="ENABLED")


def _checksum(s3: "S3Client", location: S3Location, head: "HeadObjectOutputTypeDef") -> Checksum | None:
    def part_size(number: int) -> int:
        return s3.head_object(Bucket=location.bucket, Key=location.key, PartNumber=number)["ContentLength"]

    return checksum_of(head, part_size)


def _folder(prefix: S3Location) -> str:
    """The prefix of the keys that lie under it, as under a directory."""
    return f"{prefix.key.rstrip('/')}/" if prefix.key else ""


def _relative(source: S3Location, prefix: S3Location) -> str:
    """The object's path under the prefix."""
    path = source.key.removeprefix(_folder(prefix))
    if any(step in ("", ".", "..") or "\\" in step or "\0" in step for step in path.split("/")):
        raise TransferError(Obstacle.UNSAFE, source)
    return path


def _occupied(target: Path) -> int:
    """The bytes on the disk that the file, or what is there of it, occupies already."""
    files = (target, target.with_name(f"{target.name}.part"))
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())


def _check_room(location: S3Location, directory: Path, needed_bytes: int) -> None:
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if needed_bytes > shutil.disk_usage(existing).free:
        raise TransferError(Obstacle.NO_ROOM, location)


def _all(threads: Executor, calls: Iterable[Callable[[], _T]]) -> list[_T]:
    """What the calls give, made side by side; after one that fails no other begins, and none goes on."""
    futures = [threads.submit(call) for call in calls]
    try:
        for future in as_completed(futures):
            future.result()
    finally:
        for future in futures:
            future.cancel()
        wait(futures)
    return [future.result() for future in futures]
