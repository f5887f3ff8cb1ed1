from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract.identifiers import S3Location
from inference.transfer.errors import TransferError, TransferFailure
from inference.transfer.s3 import fetch_prefix
from inference.transfer.s3_upload import upload, upload_directory
from tests.inference.fake_engine import BUCKET

PREFIX = S3Location(BUCKET, "models")


class RecordingS3:
    """An S3 client that records the names of uploaded files."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.uploaded: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def upload_file(self, path: str, *target: Any, **options: Any) -> None:
        self.uploaded.append(Path(path).name)
        self._s3.upload_file(path, *target, **options)


def write(directory: Path, **files: str) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return directory


def names(directory: Path) -> list[str]:
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def test_an_uploaded_directory_is_downloaded_unchanged(s3: Any, tmp_path: Path) -> None:
    files = {name: name for name in ("model_index.json", "unet/config.json", "unet/deep/weights")}
    original = write(tmp_path / "original", **files)
    upload_directory(s3, original, S3Location(BUCKET, "models/a"))
    s3.put_object(Bucket=BUCKET, Key="models/a/unet/", Body=b"")  # the folder marker of the S3 console
    s3.put_object(Bucket=BUCKET, Key="models/ab", Body=b"")
    fetch_prefix(s3, S3Location(BUCKET, "models/a/"), tmp_path / "copy")
    assert names(tmp_path / "copy") == names(original)
    assert (tmp_path / "copy/unet/deep/weights").read_text() == "unet/deep/weights"


def test_only_changed_files_are_uploaded_again(s3: Any, tmp_path: Path) -> None:
    client = RecordingS3(s3)
    upload_directory(client, write(tmp_path, a="a", b="b"), PREFIX)
    assert sorted(client.uploaded) == ["a", "b"]
    client.uploaded.clear()
    upload_directory(client, write(tmp_path, b="c"), PREFIX)
    assert client.uploaded == ["b"]
    assert s3.get_object(Bucket=BUCKET, Key="models/b")["Body"].read() == b"c"


def test_a_missing_bucket_is_named(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="s3://no-bucket/models/a does not exist") as caught:
        upload_directory(s3, write(tmp_path, a="a"), S3Location("no-bucket", "models"))
    assert caught.value.failure is TransferFailure.NOT_FOUND


def test_a_file_is_uploaded_without_the_permission_to_list_the_bucket(s3: Any, tmp_path: Path) -> None:
    class WithoutListBucket(RecordingS3):
        def head_object(self, **request: Any) -> Any:
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    upload(WithoutListBucket(s3), write(tmp_path, a="a") / "a", S3Location(BUCKET, "models/a"))
    assert s3.get_object(Bucket=BUCKET, Key="models/a")["Body"].read() == b"a"


def test_no_file_is_uploaded_after_another_error_of_s3(s3: Any, tmp_path: Path) -> None:
    class Throttled(RecordingS3):
        def head_object(self, **request: Any) -> Any:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "test"}}, "HeadObject")

    client = Throttled(s3)
    with pytest.raises(TransferError, match=r"could not be transferred \(SlowDown\)"):
        upload(client, write(tmp_path, a="a") / "a", S3Location(BUCKET, "models/a"))
    assert client.uploaded == []
