"""Whose turn it is: which slots go through the UNet together, and how many rows it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

PATIENCE = 3
"""Turns that slots are passed over for older ones before they are served out of turn."""


@dataclass(frozen=True)
class Compatibility:
    """What slots must agree on to share a forward.

    Attributes:
        width: pixels.
        height: pixels.
        guided: whether the UNet is asked twice, without and with the prompt.
        tokens: of each prompt, padding included.
        loras: the active LoRAs: ids from `inference.diffusion.adapters.loras`, with their weights.
        controlnets: ids of the ControlNets that guide; how strongly each does is the slot's own affair.
        refining: whether the refiner's UNet is asked.
    """

    width: int
    height: int
    guided: bool
    tokens: int
    loras: tuple[tuple[str, float], ...] = ()
    controlnets: tuple[str, ...] = ()
    refining: bool = False


class Waiting(Protocol):
    """What waits for its turn."""

    @property
    def compatibility(self) -> Compatibility:
        """What it must agree on with those beside it."""
        ...


SlotT = TypeVar("SlotT", bound=Waiting)


@dataclass(frozen=True)
class Bucket(Generic[SlotT]):
    """Slots that share a forward.

    Attributes:
        slots: one to `size` of them, the oldest first.
        size: rows that the forward has, guidance not counted; those that no slot fills are padding.
    """

    slots: tuple[SlotT, ...]
    size: int

    @property
    def compatibility(self) -> Compatibility:
        """What the slots agree on."""
        return self.slots[0].compatibility


class Turns:
    """Chooses one bucket after another.

    The oldest slot leads, and those that are compatible with it join in, the oldest first. Slots that have
    been passed over `PATIENCE` times lead in its place, so that no kind of slot waits for longer than
    `PATIENCE` turns and one for every other kind that is overdue too.
    """

    def __init__(self, *, max_bucket: int, strict: bool = False) -> None:
        """Starts with nobody waiting.

        Args:
            max_bucket: the most slots of a bucket, a power of two.
            strict: give every bucket this size, so that what is drawn does not depend on the load.
        """
        self._max_bucket = max_bucket
        self._strict = strict
        self._ceilings: dict[Compatibility, int] = {}
        self._passed_over: dict[Compatibility, int] = {}

    def choose(self, slots: Sequence[SlotT]) -> Bucket[SlotT]:
        """The next bucket.

        Args:
            slots: at least one, the oldest first.
        """
        kinds = dict.fromkeys(slot.compatibility for slot in slots)
        waits = {kind: self._passed_over.get(kind, 0) for kind in kinds}
        longest = max(waits, key=lambda kind: waits[kind])
        served = longest if waits[longest] >= PATIENCE else slots[0].compatibility
        self._passed_over = {kind: 0 if kind == served else turns + 1 for kind, turns in waits.items()}
        ceiling = self._ceilings.get(served, self._max_bucket)
        chosen = tuple(slot for slot in slots if slot.compatibility == served)[:ceiling]
        return Bucket(chosen, ceiling if self._strict else 1 << (len(chosen) - 1).bit_length())

    def ceiling(self, compatibility: Compatibility) -> int | None:
        """The most slots of this kind that share a forward, if that has been made less."""
        return self._ceilings.get(compatibility)

    def can_shrink(self, bucket: Bucket[SlotT]) -> bool:
        """Whether buckets of this kind may be made smaller than this one."""
        return bucket.size > 1 and not self._strict

    def shrink(self, bucket: Bucket[SlotT]) -> None:
        """Makes every later bucket of this kind at most half as large as this one."""
        self._ceilings[bucket.compatibility] = bucket.size // 2
