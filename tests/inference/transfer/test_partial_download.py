from pathlib import Path

import pytest

from inference.transfer.partial_download import Part, PartialDownload


def create(target: Path, version: str = "1") -> PartialDownload:
    return PartialDownload(target, size=5, version=version, part_bytes=2)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_the_parts_cover_the_file(target: Path) -> None:
    assert create(target).missing == [Part(0, 2), Part(2, 4), Part(4, 5)]


def test_an_empty_file_has_no_parts(target: Path) -> None:
    download = PartialDownload(target, size=0, version="1", part_bytes=2)
    assert download.missing == []
    download.complete()
    assert target.read_bytes() == b""


def test_a_complete_file_is_renamed(target: Path) -> None:
    download = create(target)
    for part, blocks in zip(reversed(download.missing), ([b"e"], [b"c", b"d"], [b"ab"]), strict=True):
        download.write(part, blocks)
        assert not target.exists()
    download.complete()
    assert target.read_bytes() == b"abcde"
    assert list(target.parent.iterdir()) == [target]


def test_complete_parts_are_kept_for_the_same_version(target: Path) -> None:
    create(target).write(Part(2, 4), [b"cd"])
    resumed = create(target)
    assert resumed.missing == [Part(0, 2), Part(4, 5)]
    assert resumed.path.read_bytes() == b"\0\0cd\0"


def test_parts_of_another_version_are_discarded(target: Path) -> None:
    create(target).write(Part(2, 4), [b"cd"])
    restarted = create(target, version="2")
    assert len(restarted.missing) == 3
    assert restarted.path.read_bytes() == bytes(5)


@pytest.mark.parametrize("blocks", [[b"a"], [b"ab", b"c"]])
def test_a_part_of_the_wrong_length_is_refused_and_stays_missing(target: Path, blocks: list[bytes]) -> None:
    download = create(target)
    with pytest.raises(ValueError, match="for a part of 2"):
        download.write(Part(0, 2), blocks)
    assert Part(0, 2) in download.missing
    assert Part(0, 2) in create(target).missing


def test_a_journal_without_its_file_is_ignored(target: Path) -> None:
    download = create(target)
    download.write(Part(0, 2), [b"ab"])
    download.path.unlink()
    assert len(create(target).missing) == 3


def test_discarding_deletes_the_file_and_the_journal(target: Path) -> None:
    create(target).discard()
    assert list(target.parent.iterdir()) == []
