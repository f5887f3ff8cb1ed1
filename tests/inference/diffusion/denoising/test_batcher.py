"""Batch selection, padding, size limits and fairness of the batcher."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.denoising.batcher import MAX_SKIPPED_BATCHES, Batcher, BatchKey

SMALL = BatchKey(width=64, height=64, tokens=77)
LARGE = BatchKey(width=128, height=128, tokens=77)
REFINING = BatchKey(width=64, height=64, tokens=77, refining=True)
LONG = BatchKey(width=64, height=64, tokens=154)
KEYS = (SMALL, LARGE, REFINING, LONG)


@dataclass
class FakeSlot:
    batch_key: BatchKey
    index: int = 0
    steps_left: int = 1
    rows: int = 2


def slots_with(*keys: BatchKey) -> list[FakeSlot]:
    return [FakeSlot(key, index) for index, key in enumerate(keys)]


def next_indices(batcher: Batcher, slots: list[FakeSlot]) -> list[int]:
    return [slot.index for slot in batcher.next_batch(slots).slots]


def slots_of(*rows: int) -> list[FakeSlot]:
    return [FakeSlot(SMALL, index, rows=each) for index, each in enumerate(rows)]


@pytest.mark.parametrize(
    ("slots", "rows"),
    [(1, 2), (2, 4), (3, 6), (4, 8), (5, 12), (6, 12), (7, 16), (8, 16), (9, 16)],
)
def test_a_batch_is_padded_to_few_numbers_of_rows(slots: int, rows: int) -> None:
    batch = Batcher(max_batch_size=8).next_batch(slots_with(*[SMALL] * slots))
    assert (len(batch.slots), batch.rows) == (min(slots, 8), rows)


def test_slots_with_and_without_guidance_share_the_rows_of_a_batch() -> None:
    batch = Batcher(max_batch_size=2).next_batch(slots_of(1, 2, 1, 1))
    assert ([slot.index for slot in batch.slots], batch.rows) == ([0, 1, 2], 4)


def test_a_slot_whose_rows_do_not_fit_waits_and_later_ones_that_fit_join() -> None:
    batch = Batcher(max_batch_size=2).next_batch(slots_of(2, 1, 2, 1))
    assert [slot.index for slot in batch.slots] == [0, 1, 3]


def test_a_slot_with_more_rows_than_a_batch_has_a_batch_of_its_own() -> None:
    batch = Batcher(max_batch_size=1).next_batch(slots_of(5, 1))
    assert ([slot.index for slot in batch.slots], batch.rows) == ([0], 5)


@given(rows=st.lists(st.integers(1, 4), min_size=1, max_size=20))
def test_the_rows_fit_and_a_third_at_most_is_padding(rows: list[int]) -> None:
    batch = Batcher(max_batch_size=8).next_batch(slots_of(*rows))
    used = sum(slot.rows for slot in batch.slots)
    assert used <= batch.rows <= 16
    assert 3 * (batch.rows - used) <= batch.rows


def test_padding_is_a_tenth_of_the_rows_at_most_when_every_load_is_equally_frequent() -> None:
    batcher = Batcher(max_batch_size=8)
    batches = [batcher.next_batch(slots_of(*[1] * rows)) for rows in range(1, 17)]
    padding = sum(batch.rows - len(batch.slots) for batch in batches)
    assert padding <= 0.1 * sum(batch.rows for batch in batches)


@pytest.mark.parametrize("slots", [1, 3, 8, 9])
def test_a_fixed_batch_size_pads_every_batch_to_the_maximum(slots: int) -> None:
    batcher = Batcher(max_batch_size=8, fixed_batch_size=True)
    assert batcher.next_batch(slots_with(*[SMALL] * slots)).rows == 16


@pytest.mark.parametrize(("rows", "images"), [(1, 6), (2, 3)])
def test_the_size_of_a_batch_is_counted_in_images_like_the_slot(rows: int, images: int) -> None:
    batch = Batcher(max_batch_size=8).next_batch(slots_of(rows, *[1] * (6 - rows)))
    assert batch.size_for(batch.slots[0]) == images


def test_slots_with_the_oldest_slots_key_join_in_order_of_age() -> None:
    slots = slots_with(SMALL, LARGE, SMALL, REFINING, SMALL)
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
    assert batcher.next_batch(slots).rows == 8
    assert batcher.next_batch(slots_with(*[LARGE] * 8)).rows == 16


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
