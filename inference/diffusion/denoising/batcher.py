"""Dynamic batching: selects and pads the slots of the next UNet forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_SKIPPED_BATCHES = 3
"""Batches in a row that a batch key is left out of before it goes first."""


@dataclass(frozen=True)
class BatchKey:
    """Properties that the slots of a batch share.

    Attributes:
        width: pixels.
        height: pixels.
        classifier_free_guidance: whether the UNet runs on the negative prompt as well.
        tokens: length of each prompt's embeddings, padding included.
        prompts: the number of prompts that AND joins; each takes a sample of its own.
        loras: ids of the active LoRAs (see `inference.diffusion.adapters.loras`) and their weights.
        controlnets: ids of the ControlNets; each slot has its own conditioning scales.
        refining: whether the refiner's UNet runs.
    """

    width: int
    height: int
    classifier_free_guidance: bool
    tokens: int
    prompts: int = 1
    loras: tuple[tuple[str, float], ...] = ()
    controlnets: tuple[str, ...] = ()
    refining: bool = False


class Batchable(Protocol):
    """A slot, as the batcher sees it."""

    @property
    def batch_key(self) -> BatchKey:
        """The slot's batch key; slots of a batch have the same."""
        ...


SlotT = TypeVar("SlotT", bound=Batchable)


@dataclass(frozen=True)
class Batch(Generic[SlotT]):
    """Slots that share a forward pass.

    Attributes:
        slots: 1 to `size`, the oldest first, all with the same batch key.
        size: samples in the forward pass, padding included; classifier-free guidance doubles them, and
            further prompts multiply them.
    """

    slots: tuple[SlotT, ...]
    size: int

    @property
    def key(self) -> BatchKey:
        """The slots' batch key."""
        return self.slots[0].batch_key


class Batcher:
    """Chooses one batch after another, padded to a power of two.

    The oldest slot decides the batch key, and the other slots with that key join, the oldest first. A key
    that has been left out of `MAX_SKIPPED_BATCHES` batches in a row goes first instead, so a slot waits for
    at most that many batches and one for each other overdue key.
    """

    def __init__(self, *, max_batch_size: int, fixed_batch_size: bool = False) -> None:
        """Sets the limits.

        Args:
            max_batch_size: slots in a batch at most, a power of two.
            fixed_batch_size: pad every batch to this size, so that an image does not depend on the load.
        """
        self._max_batch_size = max_batch_size
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
        limit = self._reduced_limits.get(chosen, self._max_batch_size)
        members = tuple(slot for slot in slots if slot.batch_key == chosen)[:limit]
        return Batch(members, limit if self._fixed_batch_size else 1 << (len(members) - 1).bit_length())

    def reduced_limit(self, key: BatchKey) -> int | None:
        """The maximum batch size of this key, if `reduce_limit` has lowered it."""
        return self._reduced_limits.get(key)

    def can_reduce_limit(self, batch: Batch[SlotT]) -> bool:
        """Whether later batches of this key may be smaller than this one."""
        return batch.size > 1 and not self._fixed_batch_size

    def reduce_limit(self, batch: Batch[SlotT]) -> None:
        """Limits later batches of this key to half the size of this one."""
        self._reduced_limits[batch.key] = batch.size // 2
