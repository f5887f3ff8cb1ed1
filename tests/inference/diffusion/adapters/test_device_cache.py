"""What stays on the device, and for how long."""

from dataclasses import dataclass

from inference.diffusion.adapters.device_cache import DeviceCache


@dataclass(eq=False)
class Thing:
    name: str
    size_bytes: int = 1


class Shop:
    """DeviceCache, and what has been loaded into them."""

    def __init__(self, max_bytes: int) -> None:
        self.cache = DeviceCache(max_bytes)
        self.loaded: list[str] = []

    def get_or_load(self, name: str, size_bytes: int = 1) -> Thing:
        def load() -> Thing:
            self.loaded.append(name)
            return Thing(name, size_bytes)

        return self.cache.get_or_load(name, load)


def test_the_least_recently_used_leaves() -> None:
    shop = Shop(max_bytes=2)
    for name in "abacaba":
        shop.get_or_load(name)
    assert "".join(shop.loaded) == "abcb"


def test_what_is_in_use_is_not_loaded_twice_though_it_has_left() -> None:
    shop = Shop(max_bytes=1)
    held = shop.get_or_load("a")
    shop.get_or_load("b")
    assert shop.get_or_load("a") is held
    assert shop.loaded == ["a", "b"]


def test_what_is_larger_than_the_room_is_there_for_its_user_alone() -> None:
    shop = Shop(max_bytes=2)
    held = shop.get_or_load("a", size_bytes=3)
    assert shop.get_or_load("a", size_bytes=3) is held
    del held
    shop.get_or_load("a", size_bytes=3)
    assert shop.loaded == ["a", "a"]
