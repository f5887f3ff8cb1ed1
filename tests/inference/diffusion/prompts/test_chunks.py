"""Where a long prompt is split."""

from itertools import chain

import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.prompts.chunks import BACKTRACK, Place, Run, split

COMMA = 9


def section(*tokens: int) -> list[Run]:
    return [(Place(token),) for token in tokens]


def lengths(*sections: list[Run], room: int = 75) -> list[int]:
    return [len(chunk) for chunk in split(sections, room=room, comma=COMMA)]


def test_a_full_chunk_is_followed_by_another() -> None:
    assert lengths(section(*[1] * 75)) == [75]
    assert lengths(section(*[1] * 76)) == [75, 1]
    assert lengths(section(*[1] * 151)) == [75, 75, 1]


def test_nothing_is_one_empty_chunk() -> None:
    assert lengths([]) == [0]


def test_each_section_begins_a_chunk_and_an_empty_one_counts_unless_it_is_the_last() -> None:
    assert lengths(section(1), section(2, 3)) == [1, 2]
    assert lengths([], section(1), [], section(2), []) == [0, 1, 0, 1]


def test_what_follows_the_last_comma_near_the_end_goes_to_the_next_chunk() -> None:
    near, far = 75 - BACKTRACK, 75 - BACKTRACK - 1
    assert lengths(section(*[1] * near, COMMA, *[1] * 40)) == [near + 1, 40]
    assert lengths(section(*[1] * far, COMMA, *[1] * 40)) == [75, far + 1 + 40 - 75]
    assert lengths(section(*[1] * 60, COMMA, *[1] * 8, COMMA, *[1] * 20)) == [70, 20]


def test_a_comma_that_finds_no_room_begins_the_next_chunk() -> None:
    assert lengths(section(*[1] * 70, COMMA, *[1] * 4, COMMA, 1)) == [75, 2]


def test_a_textual_inversion_is_not_split() -> None:
    inversion = tuple(Place(0, vector=torch.zeros(2)) for _ in range(6))
    assert lengths([*section(*[1] * 70), inversion, *section(2)]) == [70, 7]
    assert lengths([*section(*[1] * 68, COMMA, *[1] * 6), inversion]) == [69, 12]
    assert lengths([*section(*[1] * 4), inversion], room=6) == [4, 6]


@given(
    st.lists(st.lists(st.sampled_from([1, 2, COMMA]), max_size=100), min_size=1, max_size=4),
    st.integers(1, 75),
)
def test_nothing_is_lost_and_no_chunk_is_too_long(sections: list[list[int]], room: int) -> None:
    chunks = split([section(*tokens) for tokens in sections], room=room, comma=COMMA)
    assert all(len(chunk) <= room for chunk in chunks)
    assert [place.token for chunk in chunks for place in chunk] == [*chain(*sections)]
