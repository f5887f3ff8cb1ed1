"""The device cache: eviction, and entries in use."""

from dataclasses import dataclass

from inference.diffusion.adapters.device_cache import DeviceCache


@dataclass(eq=False)
class Entry:
    name: str
    size_bytes: int = 1


class RecordingCache:
    """A device cache that records the loaded entries."""

    def __init__(self, max_bytes: int) -> None:
        self.cache = DeviceCache(max_bytes)
        self.loaded: list[str] = []

    def get_or_load(self, name: str, size_bytes: int = 1) -> Entry:
        def load() -> Entry:
            self.loaded.append(name)
            return Entry(name, size_bytes)

        return self.cache.get_or_load(name, load)


def test_the_least_recently_used_entry_is_evicted() -> None:
    cache = RecordingCache(max_bytes=2)
    for name in "abacaba":
        cache.get_or_load(name)
    assert "".join(cache.loaded) == "abcb"


def test_an_evicted_entry_in_use_is_not_loaded_again() -> None:
    cache = RecordingCache(max_bytes=1)
    in_use = cache.get_or_load("a")
    cache.get_or_load("b")
    assert cache.get_or_load("a") is in_use
    assert cache.loaded == ["a", "b"]


def test_an_entry_larger_than_the_cache_lives_as_long_as_it_is_used() -> None:
    cache = RecordingCache(max_bytes=2)
    in_use = cache.get_or_load("a", size_bytes=3)
    assert cache.get_or_load("a", size_bytes=3) is in_use
    del in_use
    cache.get_or_load("a", size_bytes=3)
    assert cache.loaded == ["a", "a"]
