"""What stays on the device, and for how long."""

from dataclasses import dataclass

from inference.diffusion.adapters.device_cache import Residents


@dataclass(eq=False)
class Thing:
    name: str
    size_bytes: int = 1


class Shop:
    """Residents, and what has been loaded into them."""

    def __init__(self, max_bytes: int) -> None:
        self.residents = Residents(max_bytes)
        self.loaded: list[str] = []

    def obtain(self, name: str, size_bytes: int = 1) -> Thing:
        def load() -> Thing:
            self.loaded.append(name)
            return Thing(name, size_bytes)

        return self.residents.obtain(name, load)


def test_the_least_recently_used_leaves() -> None:
    shop = Shop(max_bytes=2)
    for name in "abacaba":
        shop.obtain(name)
    assert "".join(shop.loaded) == "abcb"


def test_what_is_in_use_is_not_loaded_twice_though_it_has_left() -> None:
    shop = Shop(max_bytes=1)
    held = shop.obtain("a")
    shop.obtain("b")
    assert shop.obtain("a") is held
    assert shop.loaded == ["a", "b"]


def test_what_is_larger_than_the_room_is_there_for_its_user_alone() -> None:
    shop = Shop(max_bytes=2)
    held = shop.obtain("a", size_bytes=3)
    assert shop.obtain("a", size_bytes=3) is held
    del held
    shop.obtain("a", size_bytes=3)
    assert shop.loaded == ["a", "a"]
