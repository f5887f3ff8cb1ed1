import tarfile
from pathlib import Path

import pytest

from inference.models import archives
from inference.models.archives import unpack
from inference.models.errors import UnusableModelError
from tests.inference.models import hostile_files
from tests.inference.models.archive_files import pack


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "unpacked" / "model"


def test_all_files_are_extracted(tmp_path: Path, target: Path) -> None:
    unpack(pack(tmp_path / "model.tar.gz", **{"model_index.json": b"{}", "unet/config.json": b"[]"}), target)
    assert (target / "model_index.json").read_bytes() == b"{}"
    assert (target / "unet/config.json").read_bytes() == b"[]"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["../evil", "unet/../../evil", "/../evil"])
def test_a_path_outside_the_directory_is_refused(tmp_path: Path, target: Path, name: str) -> None:
    archive = pack(tmp_path / "model.tar.gz", **{"model_index.json": b"{}", name: b"evil"})
    with pytest.raises(UnusableModelError, match=f"model.tar.gz: the member '{name}' is a device, or its"):
        unpack(archive, target)
    assert not list(tmp_path.rglob("evil"))
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "link"), [(tarfile.SYMTYPE, "/etc"), (tarfile.LNKTYPE, "../x"), (tarfile.CHRTYPE, "")]
)
def test_links_to_outside_and_devices_are_refused(
    tmp_path: Path, target: Path, kind: bytes, link: str
) -> None:
    member = tarfile.TarInfo("unet")
    member.type, member.linkname = kind, link
    with pytest.raises(UnusableModelError, match="the member 'unet'"):
        unpack(pack(tmp_path / "model.tar.gz", unet=member), target)


def test_an_archive_with_too_many_bytes_is_refused(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MAX_BYTES", 2)
    with pytest.raises(UnusableModelError, match="has more than 10,000 members, or expands"):
        unpack(pack(tmp_path / "model.tar.gz", a=b"1", b=b"12"), target)
    assert list(target.parent.iterdir()) == []


def test_an_archive_with_too_many_members_is_refused(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MAX_MEMBERS", 1)
    with pytest.raises(UnusableModelError, match="has more than 1 members"):
        unpack(pack(tmp_path / "model.tar.gz", a=b"1", b=b"12"), target)


@pytest.mark.parametrize("damage", ["truncated", "corrupted", "not a tar.gz"])
def test_a_damaged_archive_is_refused(tmp_path: Path, target: Path, damage: str) -> None:
    archive = pack(tmp_path / "model.tar.gz", **{"model_index.json": bytes(range(256)) * 400})
    content = archive.read_bytes()
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "corrupted":
        content = content[:200] + bytes(100) + content[300:]
    else:
        content = b"PK" + content
    archive.write_bytes(content)
    with pytest.raises(UnusableModelError, match=r"model\.tar\.gz cannot be unpacked"):
        unpack(archive, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("mode", ["w:xz", "w:bz2", "w:gz"])
def test_an_archive_compressed_twice_is_refused(tmp_path: Path, target: Path, mode: str) -> None:
    with pytest.raises(UnusableModelError, match=r"model\.tar\.gz cannot be unpacked"):
        unpack(hostile_files.tar_compressed_twice(tmp_path / "model.tar.gz", mode), target)
    assert list(target.parent.iterdir()) == []


def test_a_path_that_is_too_deep_is_refused(tmp_path: Path, target: Path) -> None:
    with pytest.raises(UnusableModelError, match=r"model\.tar\.gz cannot be unpacked .* too long paths"):
        unpack(hostile_files.tar_with_deep_path(tmp_path / "model.tar.gz"), target)
    assert list(target.parent.iterdir()) == []


def test_a_member_name_that_would_fill_the_memory_is_refused(tmp_path: Path, target: Path) -> None:
    archive = hostile_files.tar_with_long_name(tmp_path / "model.tar.gz")
    with (
        hostile_files.limited_memory(256 << 20),
        pytest.raises(UnusableModelError, match="cannot be unpacked"),
    ):
        unpack(archive, target)


def test_an_archive_that_expands_too_much_is_refused(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_ALWAYS_ACCEPTED_BYTES", 1 << 20)
    unpack(pack(tmp_path / "small.tar.gz", a=bytes(1 << 20)), target)
    with pytest.raises(UnusableModelError, match="expands to more than 100 GiB or 20 times its size"):
        unpack(pack(tmp_path / "model.tar.gz", a=bytes(4 << 20)), target)


def test_a_tar_that_is_not_compressed_is_refused(tmp_path: Path, target: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:") as archive:
        archive.addfile(tarfile.TarInfo("model_index.json"))
    with pytest.raises(UnusableModelError, match=r"model\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "model.tar.gz", target)
