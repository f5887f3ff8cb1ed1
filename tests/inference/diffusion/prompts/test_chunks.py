"""Splitting prompts into chunks."""

from itertools import chain

import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.prompts.chunks import COMMA_BACKTRACK, TokenGroup, WeightedToken, split_into_chunks

COMMA = 9


def segment(*ids: int) -> list[TokenGroup]:
    return [(WeightedToken(id_),) for id_ in ids]


def lengths(*segments: list[TokenGroup], chunk_length: int = 75) -> list[int]:
    return [len(chunk) for chunk in split_into_chunks(segments, chunk_length=chunk_length, comma_id=COMMA)]


def test_tokens_after_a_full_chunk_go_to_the_next() -> None:
    assert lengths(segment(*[1] * 75)) == [75]
    assert lengths(segment(*[1] * 76)) == [75, 1]
    assert lengths(segment(*[1] * 151)) == [75, 75, 1]


def test_an_empty_prompt_is_one_empty_chunk() -> None:
    assert lengths([]) == [0]


def test_each_segment_begins_a_chunk_and_an_empty_last_one_is_dropped() -> None:
    assert lengths(segment(1), segment(2, 3)) == [1, 2]
    assert lengths([], segment(1), [], segment(2), []) == [0, 1, 0, 1]


def test_a_full_chunk_is_split_after_the_last_comma_near_its_end() -> None:
    near = 75 - COMMA_BACKTRACK
    far = near - 1
    assert lengths(segment(*[1] * near, COMMA, *[1] * 40)) == [near + 1, 40]
    assert lengths(segment(*[1] * far, COMMA, *[1] * 40)) == [75, far + 1 + 40 - 75]
    assert lengths(segment(*[1] * 60, COMMA, *[1] * 8, COMMA, *[1] * 20)) == [70, 20]


def test_a_comma_after_a_full_chunk_begins_the_next_one() -> None:
    assert lengths(segment(*[1] * 70, COMMA, *[1] * 4, COMMA, 1)) == [75, 2]


def test_a_textual_inversion_is_not_split() -> None:
    inversion = tuple(WeightedToken(0, embedding=torch.zeros(2)) for _ in range(6))
    assert lengths([*segment(*[1] * 70), inversion, *segment(2)]) == [70, 7]
    assert lengths([*segment(*[1] * 68, COMMA, *[1] * 6), inversion]) == [69, 12]
    assert lengths([*segment(*[1] * 4), inversion], chunk_length=6) == [4, 6]


@given(
    st.lists(st.lists(st.sampled_from([1, 2, COMMA]), max_size=100), min_size=1, max_size=4),
    st.integers(1, 75),
)
def test_chunks_contain_all_tokens_in_order_and_none_is_too_long(
    segments: list[list[int]], chunk_length: int
) -> None:
    chunks = split_into_chunks([segment(*ids) for ids in segments], chunk_length=chunk_length, comma_id=COMMA)
    assert all(len(chunk) <= chunk_length for chunk in chunks)
    assert [token.id for chunk in chunks for token in chunk] == [*chain(*segments)]
