"""Adapters on the device, within a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from torch import nn

MAX_BYTES = 4 << 30
"""What adapters that nobody uses may occupy beside a model: a few ControlNets, or tens of LoRAs."""


class Resident(Protocol):
    """Something that occupies memory of the device until nobody holds it."""

    @property
    def size_bytes(self) -> int:
        """What it occupies."""
        ...


_R = TypeVar("_R", bound=Resident)


class Residents:
    """Keeps what has been loaded until others need its room, the least recently used leaving first.

    What is in use when it leaves lives on for those that use it, and for those that ask for it meanwhile.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[str, Resident] = OrderedDict()
        self._alive: WeakValueDictionary[str, Any] = WeakValueDictionary()

    def obtain(self, key: str, load: Callable[[], _R]) -> _R:
        """What has been loaded under this key; it is loaded if it has left."""
        resident: _R | None = self._alive.get(key)
        if resident is None:
            resident = load()
            self._alive[key] = resident
        self._kept[key] = resident
        self._kept.move_to_end(key)
        while sum(each.size_bytes for each in self._kept.values()) > self._max_bytes:
            self._kept.popitem(last=False)
        return resident


def size_bytes(module: nn.Module) -> int:
    """What a module's numbers occupy."""
    return sum(each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers()))
