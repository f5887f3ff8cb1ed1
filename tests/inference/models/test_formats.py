"""What lies at a path is recognised, and what is no model is refused in words."""

import io
import tarfile
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from inference.models.errors import UnusableModelError
from inference.models.formats import DiffusersDirectory, SingleFile, open_model


def pack(path: Path, **members: bytes | tarfile.TarInfo) -> Path:
    """An archive of files by name, or of members of another kind."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def test_a_diffusers_directory_is_one(model: Path) -> None:
    assert open_model(model) == DiffusersDirectory(model)


@pytest.mark.parametrize("name", ["a.safetensors", "a.ckpt", "a.pt", "a.bin"])
def test_a_file_and_a_directory_with_that_file_are_the_same_model(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "model.json").touch()
    (tmp_path / "README.md").touch()
    assert open_model(tmp_path / name) == open_model(tmp_path) == SingleFile(tmp_path / name)


@pytest.mark.parametrize("members", [["model_index.json"], ["sd/model_index.json", "sd/unet/config.json"]])
def test_an_archive_is_unpacked_once(tmp_path: Path, scratch: Path, members: list[str]) -> None:
    archive = pack(tmp_path / "model.tar.gz", **dict.fromkeys(members, b"{}"))
    opened = open_model(archive, scratch)
    assert isinstance(opened, DiffusersDirectory)
    assert (opened.path / "model_index.json").read_bytes() == b"{}"
    (opened.path / "mark").touch()
    again = open_model(tmp_path, scratch)
    assert again == opened
    assert (again.path / "mark").exists()
    assert len(list(scratch.iterdir())) == 1


def test_an_archive_of_a_single_file_is_that_file(tmp_path: Path, scratch: Path) -> None:
    opened = open_model(pack(tmp_path / "model.tar.gz", **{"a.safetensors": b"1"}), scratch)
    assert isinstance(opened, SingleFile)
    assert opened.path.read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../evil", "unet/../../evil", "/../evil"])
def test_an_archive_that_climbs_out_of_its_directory_is_refused(
    tmp_path: Path, scratch: Path, name: str
) -> None:
    archive = pack(tmp_path / "model.tar.gz", **{"model_index.json": b"{}", name: b"evil"})
    with pytest.raises(UnusableModelError, match=f"model.tar.gz: the member '{name}' is a device, or would"):
        open_model(archive, scratch)
    assert not list(tmp_path.rglob("evil"))
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "target"), [(tarfile.SYMTYPE, "/etc"), (tarfile.LNKTYPE, "../x"), (tarfile.CHRTYPE, "")]
)
def test_an_archive_with_links_to_elsewhere_or_devices_is_refused(
    tmp_path: Path, scratch: Path, kind: bytes, target: str
) -> None:
    member = tarfile.TarInfo("unet")
    member.type, member.linkname = kind, target
    with pytest.raises(UnusableModelError, match="the member 'unet'"):
        open_model(pack(tmp_path / "model.tar.gz", unet=member), scratch)


def test_an_archive_that_is_too_large_is_refused_before_it_fills_the_disk(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.models.archives._MOST_BYTES", 2)
    with pytest.raises(UnusableModelError, match="holds more than 10,000 members or"):
        open_model(pack(tmp_path / "model.tar.gz", a=b"1", b=b"12"), scratch)
    assert list(scratch.iterdir()) == []


def test_an_archive_of_too_many_members_is_refused(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.models.archives._MOST_MEMBERS", 1)
    with pytest.raises(UnusableModelError, match="holds more than 1 members"):
        open_model(pack(tmp_path / "model.tar.gz", a=b"1", b=b"12"), scratch)


@pytest.mark.parametrize("damage", ["cut off", "garbled", "something else"])
def test_a_damaged_archive_is_refused(tmp_path: Path, scratch: Path, damage: str) -> None:
    archive = pack(tmp_path / "model.tar.gz", **{"model_index.json": bytes(range(256)) * 400})
    content = archive.read_bytes()
    if damage == "cut off":
        content = content[: len(content) // 2]
    elif damage == "garbled":
        content = content[:200] + bytes(100) + content[300:]
    else:
        content = b"PK" + content
    archive.write_bytes(content)
    with pytest.raises(UnusableModelError, match=r"model\.tar\.gz cannot be unpacked"):
        open_model(archive, scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "holds no model; put there a diffusers directory"),
        (["README.md"], "holds no model"),
        (["a.safetensors", "b.ckpt"], "holds several models, a.safetensors, b.ckpt; leave one"),
        (["a.safetensors", "model.tar.gz"], "holds several models"),
    ],
)
def test_a_directory_without_exactly_one_model_is_refused(
    tmp_path: Path, files: list[str], words: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(UnusableModelError, match=words):
        open_model(tmp_path)


def test_a_path_to_nothing_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableModelError, match="none does not exist; name a diffusers directory"):
        open_model(tmp_path / "none")
    save_file({}, tmp_path / "model.onnx")
    with pytest.raises(UnusableModelError, match=r"model\.onnx is no model"):
        open_model(tmp_path / "model.onnx")
