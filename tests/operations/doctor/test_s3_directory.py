from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws
from safetensors import safe_open
from safetensors.numpy import save

from operations.doctor.s3_directory import S3Directory

LARGE = save({"weight": np.ones(5_000_000, np.float32)}, metadata={"format": "pt"})


class CountingS3:
    """S3 of moto that counts the downloaded bytes."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.downloaded = 0

    def get_object(self, **arguments: Any) -> Any:
        response = self._s3.get_object(**arguments)
        self.downloaded += response["ContentLength"]
        return response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)


@pytest.fixture
def s3() -> Any:
    with mock_aws():
        client: Any = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="models")
        yield CountingS3(client)


def put(s3: Any, **files: bytes) -> S3Directory:
    for path, content in files.items():
        s3.put_object(Bucket="models", Key=f"sd/{path}", Body=content)
    return S3Directory(s3, "models", "sd/")


def test_objects_for_folders_are_no_files(s3: Any) -> None:
    directory = put(s3, **{"": b"", "vae/": b"", "vae/config.json": b"{}"})
    assert set(directory.objects()) == {"", "vae/", "vae/config.json"}
    assert directory.files() == {"vae/config.json": 2}


def test_the_copy_of_a_safetensors_file_has_its_header_and_size_but_not_its_values(
    s3: Any, tmp_path: Path
) -> None:
    directory = put(s3, **{"unet/model.safetensors": LARGE, "unet/config.json": b"{}", "empty.txt": b""})
    directory.copy(directory.files(), tmp_path, max_bytes=1000)
    copied = tmp_path / "unet" / "model.safetensors"
    with safe_open(copied, framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}
        assert file.get_slice("weight").get_shape() == [5_000_000]
    assert copied.stat().st_size == len(LARGE)
    assert (tmp_path / "unet" / "config.json").read_bytes() == b"{}"
    assert (tmp_path / "empty.txt").read_bytes() == b""
    assert s3.downloaded < 600_000
    assert copied.stat().st_blocks * 512 < 2_000_000


def test_files_that_are_too_large_are_not_downloaded(s3: Any, tmp_path: Path) -> None:
    directory = put(s3, **{"model.ckpt": bytes(100_000)})
    directory.copy(directory.files(), tmp_path, max_bytes=1000)
    assert (tmp_path / "model.ckpt").stat().st_size == 100_000
    assert s3.downloaded == 0


def test_a_long_header_is_downloaded_whole(s3: Any, tmp_path: Path) -> None:
    content = save({f"tensor_{number:05d}": np.ones(1, np.float16) for number in range(12_000)})
    directory = put(s3, **{"model.safetensors": content})
    directory.copy(directory.files(), tmp_path, max_bytes=0)
    with safe_open(tmp_path / "model.safetensors", framework="numpy") as file:
        assert len(file.keys()) == 12_000


@pytest.mark.parametrize("path", ["../evil", "a/../../evil", "/evil", "a//b", ".\\evil"])
def test_a_path_that_leads_outside_the_directory_is_refused(s3: Any, tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="is not a path below the prefix"):
        S3Directory(s3, "models", "sd/").copy({path: 1}, tmp_path / "target", max_bytes=1000)
    assert not (tmp_path / "evil").exists()
