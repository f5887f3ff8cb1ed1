"""Batch selection, padding, size limits and fairness of the batcher."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.denoising.batcher import MAX_SKIPPED_BATCHES, Batcher, BatchKey

SMALL = BatchKey(width=64, height=64, classifier_free_guidance=True, tokens=77)
LARGE = BatchKey(width=128, height=128, classifier_free_guidance=True, tokens=77)
WITHOUT_GUIDANCE = BatchKey(width=64, height=64, classifier_free_guidance=False, tokens=77)
LONG = BatchKey(width=64, height=64, classifier_free_guidance=True, tokens=154)
KEYS = (SMALL, LARGE, WITHOUT_GUIDANCE, LONG)


@dataclass
class FakeSlot:
    batch_key: BatchKey
    index: int = 0
    steps_left: int = 1


def slots_with(*keys: BatchKey) -> list[FakeSlot]:
    return [FakeSlot(key, index) for index, key in enumerate(keys)]


def next_indices(batcher: Batcher, slots: list[FakeSlot]) -> list[int]:
    return [slot.index for slot in batcher.next_batch(slots).slots]


@pytest.mark.parametrize(("slots", "size"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8), (9, 8)])
def test_a_batch_is_padded_to_a_power_of_two(slots: int, size: int) -> None:
    batch = Batcher(max_batch_size=8).next_batch(slots_with(*[SMALL] * slots))
    assert (len(batch.slots), batch.size) == (min(slots, 8), size)


@pytest.mark.parametrize("slots", [1, 3, 8, 9])
def test_a_fixed_batch_size_pads_every_batch_to_the_maximum(slots: int) -> None:
    batcher = Batcher(max_batch_size=8, fixed_batch_size=True)
    assert batcher.next_batch(slots_with(*[SMALL] * slots)).size == 8


def test_slots_with_the_oldest_slots_key_join_in_order_of_age() -> None:
    slots = slots_with(SMALL, LARGE, SMALL, WITHOUT_GUIDANCE, SMALL)
    assert next_indices(Batcher(max_batch_size=8), slots) == [0, 2, 4]
    assert next_indices(Batcher(max_batch_size=2), slots) == [0, 2]


def test_a_key_that_was_skipped_too_often_goes_first() -> None:
    batcher, slots = Batcher(max_batch_size=8), slots_with(SMALL, LARGE)
    chosen = [next_indices(batcher, slots)[0] for _ in range(2 * MAX_SKIPPED_BATCHES + 2)]
    assert chosen == ([0] * MAX_SKIPPED_BATCHES + [1]) * 2


def test_the_skip_count_restarts_when_a_key_has_had_no_slots() -> None:
    batcher = Batcher(max_batch_size=8)
    for _ in range(MAX_SKIPPED_BATCHES):
        batcher.next_batch(slots_with(SMALL, LARGE))
    batcher.next_batch(slots_with(SMALL))
    assert next_indices(batcher, slots_with(SMALL, LARGE)) == [0]


def test_reducing_the_limit_halves_the_batches_of_that_key_only() -> None:
    batcher, slots = Batcher(max_batch_size=8), slots_with(*[SMALL] * 8)
    batcher.reduce_limit(batcher.next_batch(slots))
    assert batcher.next_batch(slots).size == 4
    assert batcher.next_batch(slots_with(*[LARGE] * 8)).size == 8


def test_the_limit_of_a_fixed_batch_size_or_of_a_batch_of_one_cannot_be_reduced() -> None:
    fixed, dynamic = Batcher(max_batch_size=8, fixed_batch_size=True), Batcher(max_batch_size=8)
    assert not fixed.can_reduce_limit(fixed.next_batch(slots_with(SMALL)))
    assert not dynamic.can_reduce_limit(dynamic.next_batch(slots_with(SMALL)))
    assert dynamic.can_reduce_limit(dynamic.next_batch(slots_with(SMALL, SMALL)))


ARRIVALS = st.lists(
    st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 9)), max_size=3), min_size=1, max_size=12
)
"""For each batch, the slots that arrive before it: batch key and number of steps."""


@given(arrivals=ARRIVALS, max_batch_size=st.sampled_from([1, 2, 4]))
def test_every_slot_finishes_and_the_wait_of_each_key_is_bounded(
    arrivals: list[list[tuple[BatchKey, int]]], max_batch_size: int
) -> None:
    batcher, slots, skipped = Batcher(max_batch_size=max_batch_size), [], dict.fromkeys(KEYS, 0)
    for _ in range(1000):
        slots += [FakeSlot(key, steps_left=steps) for key, steps in (arrivals.pop(0) if arrivals else [])]
        if not slots and not arrivals:
            return
        if not slots:
            continue
        batch = batcher.next_batch(slots)
        for slot in batch.slots:
            slot.steps_left -= 1
        present = {slot.batch_key for slot in slots} - {batch.key}
        skipped = {key: skipped[key] + 1 if key in present else 0 for key in KEYS}
        assert max(skipped.values()) <= MAX_SKIPPED_BATCHES + len(KEYS) - 2
        slots = [slot for slot in slots if slot.steps_left]
    pytest.fail("a slot was never finished")
