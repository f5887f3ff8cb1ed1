"""Who goes through the UNet together, and that nobody waits for ever."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.denoising.batcher import MAX_SKIPPED_BATCHES, Batcher, BatchKey

SMALL = BatchKey(width=64, height=64, classifier_free_guidance=True, tokens=77)
LARGE = BatchKey(width=128, height=128, classifier_free_guidance=True, tokens=77)
UNGUIDED = BatchKey(width=64, height=64, classifier_free_guidance=False, tokens=77)
LONG = BatchKey(width=64, height=64, classifier_free_guidance=True, tokens=154)
KINDS = (SMALL, LARGE, UNGUIDED, LONG)


@dataclass
class Waiting:
    batch_key: BatchKey
    name: int = 0
    turns_left: int = 1


def queue(*kinds: BatchKey) -> list[Waiting]:
    return [Waiting(kind, name) for name, kind in enumerate(kinds)]


def names(batcher: Batcher, slots: list[Waiting]) -> list[int]:
    return [slot.name for slot in batcher.next_batch(slots).slots]


@pytest.mark.parametrize(("slots", "size"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8), (9, 8)])
def test_a_bucket_is_padded_to_a_power_of_two(slots: int, size: int) -> None:
    batch = Batcher(max_batch_size=8).next_batch(queue(*[SMALL] * slots))
    assert (len(batch.slots), batch.size) == (min(slots, 8), size)


@pytest.mark.parametrize("slots", [1, 3, 8, 9])
def test_a_strict_bucket_has_one_size(slots: int) -> None:
    assert Batcher(max_batch_size=8, fixed_batch_size=True).next_batch(queue(*[SMALL] * slots)).size == 8


def test_the_oldest_leads_and_its_like_join_in_the_oldest_first() -> None:
    slots = queue(SMALL, LARGE, SMALL, UNGUIDED, SMALL)
    assert names(Batcher(max_batch_size=8), slots) == [0, 2, 4]
    assert names(Batcher(max_batch_size=2), slots) == [0, 2]


def test_who_was_passed_over_is_served_out_of_turn() -> None:
    batcher, slots = Batcher(max_batch_size=8), queue(SMALL, LARGE)
    served = [names(batcher, slots)[0] for _ in range(2 * MAX_SKIPPED_BATCHES + 2)]
    assert served == ([0] * MAX_SKIPPED_BATCHES + [1]) * 2


def test_who_has_left_and_come_again_has_not_been_waiting() -> None:
    batcher = Batcher(max_batch_size=8)
    for _ in range(MAX_SKIPPED_BATCHES):
        batcher.next_batch(queue(SMALL, LARGE))
    batcher.next_batch(queue(SMALL))
    assert names(batcher, queue(SMALL, LARGE)) == [0]


def test_a_bucket_that_was_too_large_is_halved_for_its_kind_alone() -> None:
    batcher, slots = Batcher(max_batch_size=8), queue(*[SMALL] * 8)
    batcher.reduce_limit(batcher.next_batch(slots))
    assert batcher.next_batch(slots).size == 4
    assert batcher.next_batch(queue(*[LARGE] * 8)).size == 8


def test_a_strict_bucket_is_never_made_smaller_and_one_of_one_cannot_be() -> None:
    strict, free = Batcher(max_batch_size=8, fixed_batch_size=True), Batcher(max_batch_size=8)
    assert not strict.can_reduce_limit(strict.next_batch(queue(SMALL)))
    assert not free.can_reduce_limit(free.next_batch(queue(SMALL)))
    assert free.can_reduce_limit(free.next_batch(queue(SMALL, SMALL)))


ARRIVALS = st.lists(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 9)), max_size=3), min_size=1, max_size=12
)


@given(arrivals=ARRIVALS, max_batch_size=st.sampled_from([1, 2, 4]))
def test_everybody_is_served_and_no_kind_waits_for_long(
    arrivals: list[list[tuple[BatchKey, int]]], max_batch_size: int
) -> None:
    batcher, slots, waited = Batcher(max_batch_size=max_batch_size), [], dict.fromkeys(KINDS, 0)
    for _ in range(1000):
        slots += [Waiting(kind, turns_left=left) for kind, left in (arrivals.pop(0) if arrivals else [])]
        if not slots and not arrivals:
            return
        if not slots:
            continue
        batch = batcher.next_batch(slots)
        for slot in batch.slots:
            slot.turns_left -= 1
        present = {slot.batch_key for slot in slots} - {batch.key}
        waited = {kind: waited[kind] + 1 if kind in present else 0 for kind in KINDS}
        assert max(waited.values()) <= MAX_SKIPPED_BATCHES + len(KINDS) - 2
        slots = [slot for slot in slots if slot.turns_left]
    pytest.fail("somebody was never served")
