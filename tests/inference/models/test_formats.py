from pathlib import Path

import pytest

from inference.models.errors import UnusableModelError
from inference.models.formats import DiffusersDirectory, SingleFile, open_model
from tests.inference.models.archive_files import pack


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def test_a_directory_with_a_model_index_is_a_diffusers_directory(model: Path) -> None:
    assert open_model(model) == DiffusersDirectory(model)


@pytest.mark.parametrize("name", ["a.safetensors", "a.ckpt", "a.pt", "a.bin"])
def test_a_single_file_is_found_by_its_own_path_and_by_its_directorys(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "model.json").touch()
    (tmp_path / "README.md").touch()
    assert open_model(tmp_path / name) == open_model(tmp_path) == SingleFile(tmp_path / name)


@pytest.mark.parametrize("members", [["model_index.json"], ["sd/model_index.json", "sd/unet/config.json"]])
def test_an_archive_of_a_diffusers_directory_is_unpacked_once(
    tmp_path: Path, scratch: Path, members: list[str]
) -> None:
    archive = pack(tmp_path / "model.tar.gz", **dict.fromkeys(members, b"{}"))
    opened = open_model(archive, scratch)
    assert isinstance(opened, DiffusersDirectory)
    assert (opened.path / "model_index.json").read_bytes() == b"{}"
    (opened.path / "mark").touch()
    again = open_model(tmp_path, scratch)
    assert again == opened
    assert (again.path / "mark").exists()
    assert len(list(scratch.iterdir())) == 1


def test_an_archive_of_a_single_file_is_opened_as_that_file(tmp_path: Path, scratch: Path) -> None:
    opened = open_model(pack(tmp_path / "model.tar.gz", **{"a.safetensors": b"1"}), scratch)
    assert isinstance(opened, SingleFile)
    assert opened.path.read_bytes() == b"1"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "has no model; expected a diffusers directory"),
        (["README.md"], "has no model"),
        (["a.safetensors", "b.ckpt"], "has several models, a.safetensors, b.ckpt; remove all but one"),
        (["a.safetensors", "model.tar.gz"], "has several models"),
    ],
)
def test_a_directory_without_exactly_one_model_is_refused(
    tmp_path: Path, files: list[str], message: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(UnusableModelError, match=message):
        open_model(tmp_path)


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModelError, match="none does not exist; expected a diffusers directory"):
        open_model(tmp_path / "none")


def test_an_unsupported_file_suffix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UnusableModelError, match=r"model\.onnx is not in a supported format"):
        open_model(tmp_path / "model.onnx")
