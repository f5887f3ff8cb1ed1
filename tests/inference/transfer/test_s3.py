"""Transfers between S3 and this machine."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from contract.identifiers import S3Location
from inference.transfer.errors import Obstacle, TransferError
from inference.transfer.s3 import fetch, fetch_prefix, store, store_directory
from tests.inference.fake_engine import BUCKET

CONTENT = bytes(range(256)) * 40
PART = 1024
SOURCE = S3Location(BUCKET, "models/weights")


class Interfered:
    """An S3 client that counts the parts it reads, and around whose reads something happens."""

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
def test_an_object_is_read_in_parts_and_leaves_nothing_beside_it(
    s3: Any, target: Path, content: bytes
) -> None:
    put(s3, content)
    reading = Interfered(s3)
    fetch(reading, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == content
    assert sorted(reading.starts) == list(range(0, len(content), PART))
    assert names(target.parent) == [target.name]


def test_what_is_there_already_is_not_read_again(s3: Any, target: Path) -> None:
    put(s3)
    fetch(s3, SOURCE, target)
    again = Interfered(s3)
    fetch(again, SOURCE, target)
    assert again.starts == []


def test_a_file_of_the_right_size_and_other_content_is_replaced(s3: Any, target: Path) -> None:
    put(s3)
    target.parent.mkdir()
    target.write_bytes(CONTENT[::-1])
    fetch(s3, SOURCE, target)
    assert target.read_bytes() == CONTENT


def test_an_interrupted_download_goes_on_with_the_parts_it_has(s3: Any, target: Path) -> None:
    put(s3)

    def break_off(start: int) -> None:
        if start == 5 * PART:
            raise ReadTimeoutError(endpoint_url="s3")

    broken = Interfered(s3, break_off)
    with pytest.raises(
        TransferError, match=r"weights could not be transferred \(ReadTimeoutError\)"
    ) as caught:
        fetch(broken, SOURCE, target, part_bytes=PART)
    assert caught.value.obstacle is Obstacle.UNREACHABLE
    assert not target.exists()
    repaired = Interfered(s3)
    fetch(repaired, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT
    assert set(repaired.starts) == set(range(0, len(CONTENT), PART)) - (set(broken.starts) - {5 * PART})


def test_a_connection_that_breaks_once_is_not_noticed(s3: Any, target: Path) -> None:
    put(s3)
    breaks = [ReadTimeoutError(endpoint_url="s3")]

    def break_once(start: int) -> None:
        if start == 2 * PART and breaks:
            raise breaks.pop()

    fetch(Interfered(s3, break_once), SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT


def test_an_object_that_changes_meanwhile_is_noticed_and_read_anew(s3: Any, target: Path) -> None:
    put(s3)

    def change(start: int) -> None:
        if start == 3 * PART:
            put(s3, CONTENT[::-1])

    with pytest.raises(TransferError, match="was changed while it was being read") as caught:
        fetch(Interfered(s3, change), SOURCE, target, part_bytes=PART)
    assert caught.value.obstacle is Obstacle.CHANGED
    assert not target.exists()
    fetch(s3, SOURCE, target, part_bytes=PART)
    assert target.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA1", "CRC32", None])
def test_what_does_not_match_the_checksum_is_not_kept(s3: Any, target: Path, algorithm: str | None) -> None:
    put(s3, **({"ChecksumAlgorithm": algorithm} if algorithm else {}))

    put(s3, b"!" * len(CONTENT), key="other")

    class Damaging(Interfered):
        def get_object(self, **request: Any) -> Any:
            return s3.get_object(Bucket=BUCKET, Key="other", Range=request["Range"])

    with pytest.raises(TransferError, match="did not arrive as S3 keeps it") as caught:
        fetch(Damaging(s3), SOURCE, target, part_bytes=PART)
    assert caught.value.obstacle is Obstacle.DAMAGED
    assert names(target.parent) == []


def test_an_object_uploaded_in_parts_is_checked_by_its_parts(s3: Any, tmp_path: Path) -> None:
    content = CONTENT * 900  # 9 MB: boto3 sends parts of 8
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_bytes(content)
    store(s3, original, SOURCE)
    assert s3.head_object(Bucket=BUCKET, Key=SOURCE.key)["ETag"].endswith('-2"')
    fetch(s3, SOURCE, copy)
    assert copy.read_bytes() == content
    again = Interfered(s3)
    fetch(again, SOURCE, copy)
    assert again.starts == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (S3Location(BUCKET, "none"), "s3://data/none does not exist"),
        (S3Location("no-bucket", "a"), "s3://no-bucket/a does not exist"),
    ],
)
def test_what_is_missing_is_named(s3: Any, target: Path, source: S3Location, words: str) -> None:
    for transfer in (fetch, fetch_prefix):
        with pytest.raises(TransferError, match=words) as caught:
            transfer(s3, source, target)
        assert caught.value.obstacle is Obstacle.MISSING


def test_what_may_not_be_read_is_said_to_be_so(s3: Any, target: Path) -> None:
    class Forbidden(Interfered):
        def head_object(self, **request: Any) -> Any:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    with pytest.raises(TransferError, match="may not be accessed") as caught:
        fetch(Forbidden(s3), SOURCE, target)
    assert caught.value.obstacle is Obstacle.FORBIDDEN


def test_what_does_not_fit_the_disk_is_not_begun(
    s3: Any, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=len(CONTENT) - 1))
    for transfer, source in ((fetch, SOURCE), (fetch_prefix, S3Location(BUCKET, "models"))):
        reading = Interfered(s3)
        with pytest.raises(TransferError, match="does not fit the disk") as caught:
            transfer(reading, source, target)
        assert caught.value.obstacle is Obstacle.NO_ROOM
        assert reading.starts == []


def test_a_directory_comes_back_from_s3_as_it_was(s3: Any, tmp_path: Path) -> None:
    original = tmp_path / "original"
    for name in ("model_index.json", "unet/config.json", "unet/deep/weights"):
        path = original / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    store_directory(s3, original, S3Location(BUCKET, "models/a"))
    put(s3, b"", key="models/a/unet/")  # as consoles mark folders
    put(s3, b"", key="models/ab")
    fetch_prefix(s3, S3Location(BUCKET, "models/a/"), tmp_path / "copy")
    assert names(tmp_path / "copy") == names(original)
    assert (tmp_path / "copy/unet/deep/weights").read_text() == "unet/deep/weights"


def test_storing_again_sends_only_what_differs(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    store_directory(s3, tmp_path, S3Location(BUCKET, "models"))
    (tmp_path / "b").write_bytes(b"c")

    sent = []

    class Sending(Interfered):
        def upload_file(self, path: str, *target: Any, **more: Any) -> None:
            sent.append(Path(path).name)
            s3.upload_file(path, *target, **more)

    store_directory(Sending(s3), tmp_path, S3Location(BUCKET, "models"))
    assert sent == ["b"]
    assert s3.get_object(Bucket=BUCKET, Key="models/b")["Body"].read() == b"c"


def test_what_cannot_be_stored_is_said_to_be_so(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(TransferError, match="s3://no-bucket/models/a does not exist") as caught:
        store_directory(s3, tmp_path, S3Location("no-bucket", "models"))
    assert caught.value.obstacle is Obstacle.MISSING


@pytest.mark.parametrize("key", ["a/../../b", "a/..", "a//b", "a/./b", "a/..\\..\\b"])
def test_a_key_that_climbs_out_of_the_directory_is_refused(s3: Any, tmp_path: Path, key: str) -> None:
    put(s3, key=f"models/{key}")
    put(s3, key="models/a/good")
    with pytest.raises(TransferError, match="would lie outside the directory") as caught:
        fetch_prefix(s3, S3Location(BUCKET, "models"), tmp_path / "inside")
    assert caught.value.obstacle is Obstacle.UNSAFE
    assert names(tmp_path) == []


def test_the_first_object_that_fails_ends_the_others(s3: Any, tmp_path: Path) -> None:
    for name in "abcdefgh":
        put(s3, key=f"models/{name}")

    class Missing(Interfered):
        def head_object(self, **request: Any) -> Any:
            return s3.head_object(**request | {"Bucket": "no-bucket"})

    with pytest.raises(TransferError, match="does not exist"):
        fetch_prefix(Missing(s3), S3Location(BUCKET, "models"), tmp_path)
    assert names(tmp_path) == []
