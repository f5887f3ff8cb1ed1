from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from inference.artifacts.disk_cache import DiskCache, digest
from inference.engine.interface import AdapterFile
from tests.waiting import LIMIT_S


class Downloads:
    """Writes files of 4 bytes, and records their keys."""

    def __init__(self, cache: DiskCache) -> None:
        self._cache = cache
        self.keys: list[str] = []

    def get(self, key: str, *, version: str = "1") -> AdapterFile:
        def download(path: Path) -> None:
            self.keys.append(key)
            path.write_bytes(b"data")

        return self._cache.get(key, key, version=version, suffix=".bin", size_bytes=4, download=download)


@pytest.fixture
def create(tmp_path: Path) -> Callable[[int], Downloads]:
    return lambda max_bytes: Downloads(DiskCache(tmp_path / "cache", max_bytes=max_bytes))


def test_a_file_is_downloaded_once(create: Callable[[int], Downloads]) -> None:
    cache = create(8)
    first = cache.get("a")
    assert first.path.read_bytes() == b"data"
    assert (first.name, first.path.suffix, first.version) == ("a", ".bin", "1")
    assert cache.get("a") == first
    assert cache.keys == ["a"]


def test_another_version_is_another_file(create: Callable[[int], Downloads]) -> None:
    cache = create(8)
    first, second = cache.get("a"), cache.get("a", version="2")
    assert first.path != second.path
    assert first.path.exists()
    assert cache.keys == ["a", "a"]


def test_the_least_recently_used_file_is_evicted(create: Callable[[int], Downloads]) -> None:
    cache = create(8)
    for key in ("a", "b", "a", "c"):
        cache.get(key)
    cache.get("a")
    assert cache.keys == ["a", "b", "c"]
    cache.get("b")
    assert cache.keys == ["a", "b", "c", "b"]


def test_a_file_in_use_is_not_evicted(create: Callable[[int], Downloads]) -> None:
    cache = create(4)
    in_use = cache.get("a")
    cache.get("b")
    cache.get("c")
    assert in_use.path.exists()
    assert cache.get("a").path == in_use.path
    assert cache.keys == ["a", "b", "c"]


def test_an_evicted_file_is_deleted(create: Callable[[int], Downloads], tmp_path: Path) -> None:
    cache = create(4)
    cache.get("a")
    cache.get("b")
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_simultaneous_calls_download_once(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", max_bytes=4)
    started, go_on = Barrier(5), Event()
    calls = []

    def download(path: Path) -> None:
        calls.append(path)
        assert go_on.wait(LIMIT_S)
        path.write_bytes(b"data")

    def get(_: int) -> AdapterFile:
        started.wait(LIMIT_S)
        return cache.get("a", "a", version="1", suffix="", size_bytes=4, download=download)

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(get, number) for number in range(4)]
        started.wait(LIMIT_S)
        go_on.set()
        paths = {future.result(LIMIT_S).path for future in futures}
    assert len(paths) == len(calls) == 1


def test_a_failed_download_is_retried_by_the_next_call(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache", max_bytes=4)
    failures = [OSError("the disk is full")]

    def download(path: Path) -> None:
        if failures:
            raise failures.pop()
        path.write_bytes(b"data")

    def get() -> AdapterFile:
        return cache.get("a", "a", version="1", suffix="", size_bytes=4, download=download)

    with pytest.raises(OSError, match="the disk is full"):
        get()
    assert get().path.read_bytes() == b"data"


def test_entries_of_an_earlier_process_are_deleted_and_nothing_else(
    tmp_path: Path, create: Callable[[int], Downloads]
) -> None:
    create(10).get("old")
    directory = tmp_path / "cache"
    (directory / "notes").mkdir()
    DiskCache(directory, max_bytes=10)
    assert [each.name for each in directory.iterdir()] == ["notes"]


def test_digests_differ_by_the_boundaries_of_the_texts() -> None:
    assert digest("a", "b") == digest("a", "b")
    assert digest("a", "b") != digest("ab")
