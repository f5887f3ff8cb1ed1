"""Who goes through the UNet together, and that nobody waits for ever."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.denoising.batcher import PATIENCE, Compatibility, Turns

SMALL = Compatibility(width=64, height=64, guided=True, tokens=77)
LARGE = Compatibility(width=128, height=128, guided=True, tokens=77)
UNGUIDED = Compatibility(width=64, height=64, guided=False, tokens=77)
LONG = Compatibility(width=64, height=64, guided=True, tokens=154)
KINDS = (SMALL, LARGE, UNGUIDED, LONG)


@dataclass
class Waiting:
    compatibility: Compatibility
    name: int = 0
    turns_left: int = 1


def queue(*kinds: Compatibility) -> list[Waiting]:
    return [Waiting(kind, name) for name, kind in enumerate(kinds)]


def names(turns: Turns, slots: list[Waiting]) -> list[int]:
    return [slot.name for slot in turns.choose(slots).slots]


@pytest.mark.parametrize(("slots", "size"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8), (9, 8)])
def test_a_bucket_is_padded_to_a_power_of_two(slots: int, size: int) -> None:
    bucket = Turns(max_bucket=8).choose(queue(*[SMALL] * slots))
    assert (len(bucket.slots), bucket.size) == (min(slots, 8), size)


@pytest.mark.parametrize("slots", [1, 3, 8, 9])
def test_a_strict_bucket_has_one_size(slots: int) -> None:
    assert Turns(max_bucket=8, strict=True).choose(queue(*[SMALL] * slots)).size == 8


def test_the_oldest_leads_and_its_like_join_in_the_oldest_first() -> None:
    slots = queue(SMALL, LARGE, SMALL, UNGUIDED, SMALL)
    assert names(Turns(max_bucket=8), slots) == [0, 2, 4]
    assert names(Turns(max_bucket=2), slots) == [0, 2]


def test_who_was_passed_over_is_served_out_of_turn() -> None:
    turns, slots = Turns(max_bucket=8), queue(SMALL, LARGE)
    served = [names(turns, slots)[0] for _ in range(2 * PATIENCE + 2)]
    assert served == ([0] * PATIENCE + [1]) * 2


def test_who_has_left_and_come_again_has_not_been_waiting() -> None:
    turns = Turns(max_bucket=8)
    for _ in range(PATIENCE):
        turns.choose(queue(SMALL, LARGE))
    turns.choose(queue(SMALL))
    assert names(turns, queue(SMALL, LARGE)) == [0]


def test_a_bucket_that_was_too_large_is_halved_for_its_kind_alone() -> None:
    turns, slots = Turns(max_bucket=8), queue(*[SMALL] * 8)
    turns.shrink(turns.choose(slots))
    assert turns.choose(slots).size == 4
    assert turns.choose(queue(*[LARGE] * 8)).size == 8


def test_a_strict_bucket_is_never_made_smaller_and_one_of_one_cannot_be() -> None:
    strict, free = Turns(max_bucket=8, strict=True), Turns(max_bucket=8)
    assert not strict.can_shrink(strict.choose(queue(SMALL)))
    assert not free.can_shrink(free.choose(queue(SMALL)))
    assert free.can_shrink(free.choose(queue(SMALL, SMALL)))


ARRIVALS = st.lists(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 9)), max_size=3), min_size=1, max_size=12
)


@given(arrivals=ARRIVALS, max_bucket=st.sampled_from([1, 2, 4]))
def test_everybody_is_served_and_no_kind_waits_for_long(
    arrivals: list[list[tuple[Compatibility, int]]], max_bucket: int
) -> None:
    turns, slots, waited = Turns(max_bucket=max_bucket), [], dict.fromkeys(KINDS, 0)
    for _ in range(1000):
        slots += [Waiting(kind, turns_left=left) for kind, left in (arrivals.pop(0) if arrivals else [])]
        if not slots and not arrivals:
            return
        if not slots:
            continue
        bucket = turns.choose(slots)
        for slot in bucket.slots:
            slot.turns_left -= 1
        present = {slot.compatibility for slot in slots} - {bucket.compatibility}
        waited = {kind: waited[kind] + 1 if kind in present else 0 for kind in KINDS}
        assert max(waited.values()) <= PATIENCE + len(KINDS) - 2
        slots = [slot for slot in slots if slot.turns_left]
    pytest.fail("somebody was never served")
