"""A cache of adapters on the device, limited in bytes."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from torch import nn

MAX_BYTES = 4 << 30
"""Of adapters that are not in use: a few ControlNets, or tens of LoRAs."""


class Cacheable(Protocol):
    """Something that occupies device memory until it is no longer referenced."""

    @property
    def size_bytes(self) -> int:
        """Device memory that it occupies."""
        ...


_C = TypeVar("_C", bound=Cacheable)


class DeviceCache:
    """A least-recently-used cache.

    An entry that is evicted while it is in use stays alive for its users, and is found until they release it.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._cached: OrderedDict[str, tuple[Cacheable, int]] = OrderedDict()
        self._alive: WeakValueDictionary[str, Any] = WeakValueDictionary()

    def get_or_load(self, key: str, load: Callable[[], _C]) -> _C:
        """The entry under this key; loads it if it is not alive."""
        entry: _C | None = self._alive.get(key)
        if entry is None:
            entry = load()
            self._alive[key] = entry
        if key not in self._cached:
            self._cached[key] = entry, entry.size_bytes
        self._cached.move_to_end(key)
        while sum(size for _, size in self._cached.values()) > self._max_bytes:
            self._cached.popitem(last=False)
        return entry


def size_bytes(module: nn.Module) -> int:
    """Memory of a module's parameters and buffers."""
    return sum(each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers()))
