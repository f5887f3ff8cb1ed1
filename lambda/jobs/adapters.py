"""The adapters in the models bucket, by the names that requests use."""

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from contract.adapters import CONTROLNET, EMBEDDING, LORA, UPSCALER, VAE
from jobs.ports import AdapterObjects

_CACHE_S = 30
_LISTING_S = 9.0
"""With another page of S3 that does not arrive, a function ends before its own limit."""


class AdapterType(StrEnum):
    """A kind of adapter that requests name."""

    LORA = "lora"
    EMBEDDING = "embedding"
    CONTROLNET = "controlnet"
    VAE = "vae"
    UPSCALER = "upscaler"


_KINDS = {
    AdapterType.LORA: LORA,
    AdapterType.EMBEDDING: EMBEDDING,
    AdapterType.CONTROLNET: CONTROLNET,
    AdapterType.VAE: VAE,
    AdapterType.UPSCALER: UPSCALER,
}


class AdapterPosition(NamedTuple):
    """A place in the list of adapters."""

    kind: AdapterType
    name: str


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """An adapter.

    Attributes:
        size: of all its files together, in bytes.
        modified_at: when the latest of its files was stored.
    """

    kind: AdapterType
    name: str
    size: int
    modified_at: datetime

    @property
    def position(self) -> AdapterPosition:
        """The adapter's place in the list."""
        return AdapterPosition(self.kind, self.name)


@dataclass(frozen=True, kw_only=True)
class AdapterPage:
    """A part of the list of adapters.

    Attributes:
        is_last: whether the list ends with this part.
    """

    adapters: tuple[Adapter, ...]
    is_last: bool


class AdapterCatalog:
    """The list of adapters, which may be 30 s old. A kind is read when a page needs it."""

    def __init__(self, objects: AdapterObjects, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Creates the catalog.

        Args:
            objects: the objects of the models bucket.
            clock: seconds, for the cache and the time limit.
        """
        self._objects = objects
        self._clock = clock
        self._cache: dict[AdapterType, tuple[float, tuple[Adapter, ...]]] = {}

    def list(
        self, kind: AdapterType | None, *, limit: int, after: AdapterPosition | None = None
    ) -> AdapterPage:
        """Returns adapters by their kinds, and then by their names without regard to case.

        Args:
            kind: only adapters of this kind; None for all.
            limit: the number of adapters at most.
            after: the place to continue after; None to begin.

        Raises:
            AdaptersUnavailableError: the models bucket cannot be listed.
        """
        until = self._clock() + _LISTING_S
        kinds = [*AdapterType] if kind is None else [kind]
        if after is not None:
            kinds = kinds[kinds.index(after.kind) :]
        found: list[Adapter] = []
        for each in kinds:
            adapters, first = self._all(each, until), 0
            if after is not None and each is after.kind:
                first = bisect_right(adapters, _order(after.name), key=_order_of)
            found += adapters[first : first + limit + 1 - len(found)]
            if len(found) > limit:
                return AdapterPage(adapters=tuple(found[:limit]), is_last=False)
        return AdapterPage(adapters=tuple(found), is_last=True)

    def _all(self, kind: AdapterType, until: float) -> tuple[Adapter, ...]:
        """The adapters of a kind, sorted."""
        cached = self._cache.get(kind)
        if cached is None or self._clock() - cached[0] > _CACHE_S:
            cached = self._clock(), self._read(kind, until)
            self._cache[kind] = cached
        return cached[1]

    def _read(self, kind: AdapterType, until: float) -> tuple[Adapter, ...]:
        found: dict[str, _Files] = {}
        for each in self._objects.of(_KINDS[kind], until=until):
            place = _KINDS[kind].place_of(each.key)
            if place is not None:
                files = _Files(place.rank, each.size, each.modified_at)
                found[place.name] = files.beside(found.get(place.name))
        adapters = (
            Adapter(kind=kind, name=name, size=files.size, modified_at=files.modified_at)
            for name, files in found.items()
        )
        return tuple(sorted(adapters, key=_order_of))


class _Files(NamedTuple):
    """Files of one name: a file, or the files of a directory."""

    rank: tuple[int, int]
    size: int
    modified_at: datetime

    def beside(self, other: "_Files | None") -> "_Files":
        """The files that requests find, which are these and the others if they lie in one directory."""
        if other is None or self.rank < other.rank:
            return self
        if self.rank > other.rank:
            return other
        return _Files(self.rank, self.size + other.size, max(self.modified_at, other.modified_at))


def _order_of(adapter: Adapter) -> tuple[str, str]:
    return _order(adapter.name)


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name
