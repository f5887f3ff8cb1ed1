"""Dynamic batching: selects the slots of the next UNet forward pass, and pads their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_SKIPPED_BATCHES = 3
"""Batches in a row that a batch key is left out of before it goes first."""
_ROWS_PER_IMAGE = 2
"""With classifier-free guidance: the negative prompt and the prompt."""


@dataclass(frozen=True)
class BatchKey:
    """Properties that the slots of a batch share.

    Attributes:
        width: pixels.
        height: pixels.
        tokens: length of each prompt's embeddings, padding included.
        loras: the LoRAs that all slots have; none where rows have LoRAs of their own (see `AdapterSet`).
        controlnets: ids of the ControlNets; each slot has its own conditioning scales.
        refining: whether the refiner's UNet runs.
    """

    width: int
    height: int
    tokens: int
    loras: tuple[tuple[str, float], ...] = ()
    controlnets: tuple[str, ...] = ()
    refining: bool = False


class Batchable(Protocol):
    """A slot, as the batcher sees it."""

    @property
    def batch_key(self) -> BatchKey:
        """The slot's batch key; slots of a batch have the same."""
        ...

    @property
    def rows(self) -> int:
        """The number of UNet samples: 2 with classifier-free guidance, 1 without, more where AND joins."""
        ...


SlotT = TypeVar("SlotT", bound=Batchable)


@dataclass(frozen=True)
class Batch(Generic[SlotT]):
    """Slots that share a forward pass.

    Attributes:
        slots: at least one, the oldest first, all with the same batch key.
        rows: samples of the forward pass, padding included.
    """

    slots: tuple[SlotT, ...]
    rows: int

    @property
    def key(self) -> BatchKey:
        """The slots' batch key."""
        return self.slots[0].batch_key

    @property
    def owners(self) -> list[int]:
        """The index of each row's slot; a slot's rows are consecutive, and padding repeats the last row."""
        owners = [index for index, slot in enumerate(self.slots) for _ in range(slot.rows)]
        return owners + owners[-1:] * (self.rows - len(owners))

    def size_for(self, slot: SlotT) -> int:
        """The number of images with as many rows as this slot that the forward pass is as large as."""
        return self.rows // slot.rows


class Batcher:
    """Chooses one batch after another.

    The oldest slot decides the batch key, and the other slots with that key join, the oldest first, as long
    as their rows fit. A key that has been left out of `MAX_SKIPPED_BATCHES` batches in a row goes first
    instead, so a slot waits for at most that many batches and one for each other overdue key.

    Batches are padded to 1, 2, 3, 4, 6, 8, 12, 16, ... rows: few sizes, each of which the GPU's kernels are
    chosen, compiled and captured for, and at most a third of padding.

    Attributes:
        max_rows: of a batch.
    """

    def __init__(self, *, max_batch_size: int, fixed_batch_size: bool = False) -> None:
        """Sets the limits.

        Args:
            max_batch_size: images in a batch at most, with classifier-free guidance; twice as many without.
            fixed_batch_size: pad every batch to this size, so that an image does not depend on the load.
        """
        self.max_rows = _ROWS_PER_IMAGE * max_batch_size
        self._fixed_batch_size = fixed_batch_size
        self._reduced_limits: dict[BatchKey, int] = {}
        self._skipped: dict[BatchKey, int] = {}

    def next_batch(self, slots: Sequence[SlotT]) -> Batch[SlotT]:
        """The next batch.

        Args:
            slots: at least one, the oldest first.
        """
        keys = dict.fromkeys(slot.batch_key for slot in slots)
        skipped = {key: self._skipped.get(key, 0) for key in keys}
        most_skipped = max(skipped, key=lambda key: skipped[key])
        chosen = most_skipped if skipped[most_skipped] >= MAX_SKIPPED_BATCHES else slots[0].batch_key
        self._skipped = {key: 0 if key == chosen else count + 1 for key, count in skipped.items()}
        candidates = [slot for slot in slots if slot.batch_key == chosen]
        limit = max(self._reduced_limits.get(chosen, self.max_rows), candidates[0].rows)
        members, rows = [], 0
        for slot in candidates:
            if rows + slot.rows <= limit:
                members.append(slot)
                rows += slot.rows
        return Batch(tuple(members), limit if self._fixed_batch_size else min(padded(rows), limit))

    def reduced_limit(self, key: BatchKey) -> int | None:
        """The maximum number of rows for this key, if `reduce_limit` has lowered it."""
        return self._reduced_limits.get(key)

    def can_reduce_limit(self, batch: Batch[SlotT]) -> bool:
        """Whether later batches of this key may be smaller than this one."""
        return batch.rows > batch.slots[0].rows and not self._fixed_batch_size

    def reduce_limit(self, batch: Batch[SlotT]) -> None:
        """Limits later batches of this key to half the rows of this one."""
        self._reduced_limits[batch.key] = batch.rows // 2


def padded(rows: int) -> int:
    """The least of 1, 2, 3, 4, 6, 8, 12, 16, ... that is not below `rows`."""
    power = 1 << (rows - 1).bit_length()
    return power * 3 // 4 if rows <= power * 3 // 4 else power
