import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from contract.identifiers import S3Location
from inference.transfer.errors import TransferError, TransferFailure
from inference.transfer.s3 import fetch, fetch_prefix
from inference.transfer.s3_upload import upload
from tests.inference.fake_engine import BUCKET

CONTENT = bytes(range(256)) * 40
PART = 1024
SOURCE = S3Location(BUCKET, "models/weights")


class RecordingS3:
    """An S3 client that records the offsets of ranged reads, and calls a function before each."""

    def __init__(self, s3: Any, before_read: Any = lambda start: None) -> None:
        self._s3 = s3
        self._before_read = before_read
        self.starts: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_object(self, **request: Any) -> Any:
        start = int(request["Range"].removeprefix("bytes=").partition("-")[0])
        self.starts.append(start)
        self._before_read(start)
        return self._s3.get_object(**request)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights"


def put(s3: Any, content: bytes = CONTENT, key: str = SOURCE.key, **more: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=content, **more)


def names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:PART], CONTENT[:-7], b"x", b""])
def test_an_object_is_downloaded_in_parts(s3: Any, target: Path, content: bytes) -> None:
    put(s3, content)
    client = RecordingS3(s3)
    fetch(client, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == content
    assert sorted(client.starts) == list(range(0, len(content), PART))
    assert names(target.parent) == [target.name]


def test_a_complete_file_is_not_downloaded_again(s3: Any, target: Path) -> None:
    put(s3)
    fetch(s3, SOURCE, target)
    client = RecordingS3(s3)
    fetch(client, SOURCE, target)
    assert client.starts == []


def test_a_file_of_the_same_size_with_other_content_is_replaced(s3: Any, target: Path) -> None:
    put(s3)
    target.parent.mkdir()
    target.write_bytes(CONTENT[::-1])
    fetch(s3, SOURCE, target)
    assert target.read_bytes() == CONTENT


def test_an_interrupted_download_is_resumed(s3: Any, target: Path) -> None:
    put(s3)

    def interrupt(start: int) -> None:
        if start == 5 * PART:
            raise ReadTimeoutError(endpoint_url="s3")

    failing = RecordingS3(s3, interrupt)
    with pytest.raises(
        TransferError, match=r"weights could not be transferred \(ReadTimeoutError\)"
    ) as caught:
        fetch(failing, SOURCE, target, part_bytes=PART)
    assert caught.value.failure is TransferFailure.INTERRUPTED
    assert not target.exists()
    client = RecordingS3(s3)
    fetch(client, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT
    assert set(client.starts) == set(range(0, len(CONTENT), PART)) - (set(failing.starts) - {5 * PART})


def test_a_broken_connection_is_retried(s3: Any, target: Path) -> None:
    put(s3)
    errors = [ReadTimeoutError(endpoint_url="s3")]

    def interrupt_once(start: int) -> None:
        if start == 2 * PART and errors:
            raise errors.pop()

    fetch(RecordingS3(s3, interrupt_once), SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT


def test_an_object_that_changes_during_the_download_is_refused_and_downloaded_by_the_next_call(
    s3: Any, target: Path
) -> None:
    put(s3)

    def change(start: int) -> None:
        if start == 3 * PART:
            put(s3, CONTENT[::-1])

    with pytest.raises(TransferError, match="changed during the download") as caught:
        fetch(RecordingS3(s3, change), SOURCE, target, part_bytes=PART)
    assert caught.value.failure is TransferFailure.CHANGED
    assert not target.exists()
    fetch(s3, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA1", "CRC32", None])
def test_a_checksum_mismatch_discards_the_download(s3: Any, target: Path, algorithm: str | None) -> None:
    put(s3, **({"ChecksumAlgorithm": algorithm} if algorithm else {}))

    put(s3, b"!" * len(CONTENT), key="other")

    class Corrupting(RecordingS3):
        def get_object(self, **request: Any) -> Any:
            return s3.get_object(Bucket=BUCKET, Key="other", Range=request["Range"])

    with pytest.raises(TransferError, match="does not match its checksum") as caught:
        fetch(Corrupting(s3), SOURCE, target, part_bytes=PART)
    assert caught.value.failure is TransferFailure.CHECKSUM_MISMATCH
    assert names(target.parent) == []


def test_a_multipart_upload_is_verified_by_its_composite_checksum(s3: Any, tmp_path: Path) -> None:
    content = CONTENT * 900  # 9 MB: boto3 uploads parts of 8 MiB
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_bytes(content)
    upload(s3, original, SOURCE)
    assert s3.head_object(Bucket=BUCKET, Key=SOURCE.key)["ETag"].endswith('-2"')
    fetch(s3, SOURCE, copy)
    assert copy.read_bytes() == content
    client = RecordingS3(s3)
    fetch(client, SOURCE, copy)
    assert client.starts == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (S3Location(BUCKET, "none"), "s3://data/none does not exist"),
        (S3Location("no-bucket", "a"), "s3://no-bucket/a does not exist"),
    ],
)
def test_a_missing_object_or_bucket_is_named(s3: Any, target: Path, source: S3Location, message: str) -> None:
    for transfer in (fetch, fetch_prefix):
        with pytest.raises(TransferError, match=message) as caught:
            transfer(s3, source, target)
        assert caught.value.failure is TransferFailure.NOT_FOUND


def test_denied_access_is_named(s3: Any, target: Path) -> None:
    class Forbidden(RecordingS3):
        def head_object(self, **request: Any) -> Any:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    with pytest.raises(TransferError, match="Access to s3://data/models/weights was denied") as caught:
        fetch(Forbidden(s3), SOURCE, target)
    assert caught.value.failure is TransferFailure.ACCESS_DENIED


def test_an_object_that_does_not_fit_on_the_disk_is_not_downloaded(
    s3: Any, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=len(CONTENT) - 1))
    for transfer, source in ((fetch, SOURCE), (fetch_prefix, S3Location(BUCKET, "models"))):
        client = RecordingS3(s3)
        with pytest.raises(TransferError, match="does not fit on the disk") as caught:
            transfer(client, source, target)
        assert caught.value.failure is TransferFailure.DISK_FULL
        assert client.starts == []


@pytest.mark.parametrize("key", ["a/../../b", "a/..", "a//b", "a/./b", "a/..\\..\\b"])
def test_a_key_outside_the_directory_is_refused(s3: Any, tmp_path: Path, key: str) -> None:
    put(s3, key=f"models/{key}")
    put(s3, key="models/a/good")
    with pytest.raises(TransferError, match="would be written outside the target directory") as caught:
        fetch_prefix(s3, S3Location(BUCKET, "models"), tmp_path / "inside")
    assert caught.value.failure is TransferFailure.UNSAFE_KEY
    assert names(tmp_path) == []


def test_after_a_failure_no_other_object_is_downloaded(s3: Any, tmp_path: Path) -> None:
    for name in "abcdefgh":
        put(s3, key=f"models/{name}")

    class Missing(RecordingS3):
        def head_object(self, **request: Any) -> Any:
            return s3.head_object(**request | {"Bucket": "no-bucket"})

    with pytest.raises(TransferError, match="does not exist"):
        fetch_prefix(Missing(s3), S3Location(BUCKET, "models"), tmp_path)
    assert names(tmp_path) == []
