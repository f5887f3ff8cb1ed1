"""Pictures in tiles: where they lie, and that nobody sees it in what becomes of them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.upscaling.tiles import MARGIN, OVERLAP, _spans, tiles_of
from inference.diffusion.upscaling.upscaler import LARGEST_TILE
from tests.inference import tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import Desk, picture, upscaler_of, watch

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@given(length=st.integers(1, 5000), largest=st.integers(OVERLAP + 1, LARGEST_TILE))
def test_spans_of_one_length_cover_a_side_and_overlap(length: int, largest: int) -> None:
    spans = _spans(length, largest)
    assert (spans[0].start, spans[-1].end) == (0, length)
    assert {span.end - span.start for span in spans} <= set(range(1, largest + 1))
    assert len({span.end - span.start for span in spans}) == 1
    assert all(left.start < right.start <= left.end - OVERLAP for left, right in pairwise(spans))


def test_tiles_follow_one_another_row_by_row() -> None:
    tiles = [tile.box for tile in tiles_of((160, 100), largest=120)]
    assert tiles == [(0, 0, 112, 100), (48, 0, 160, 100)]
    tiles = [tile.box for tile in tiles_of((160, 100), largest=96)]
    assert tiles == [(left, upper, left + 96, upper + 82) for upper in (0, 18) for left in (0, 32, 64)]


@pytest.mark.parametrize(("kind", "scale"), [("esrgan", 2), ("esrgan", 4), ("span", 2)])
def test_tiles_join_to_what_the_whole_picture_becomes(
    desk: Desk, tmp_path: Path, kind: str, scale: int
) -> None:
    """To the byte: what decides a pixel lies within the margin of its tile."""
    assert tiny_upscalers.RECEPTIVE_RADIUS[kind] <= MARGIN
    upscaler = upscaler_of(tmp_path, tiny_upscalers.network(kind, scale=scale))
    tiles: list[tuple[int, ...]] = []
    watch(upscaler, tiles.append)
    size = (160 * scale, 100 * scale)
    tiled = desk.upscale(upscaler, picture(), size)
    assert len(tiles) == 3 * 2
    upscaler.largest_tile = LARGEST_TILE
    whole = desk.upscale(upscaler, picture(), size)
    assert tiles[-1] == (100, 160)
    assert np.asarray(whole).std() > 1
    assert np.array_equal(np.asarray(tiled), np.asarray(whole))


def test_neighbours_that_differ_fade_into_one_another(desk: Desk, tmp_path: Path) -> None:
    """As those of a model that sees further than the margin do."""
    upscaler = upscaler_of(tmp_path)
    shades = iter([0.0, 1.0])
    upscaler._model._call_fn = lambda _model, pixels: torch.full(
        (1, 3, pixels.shape[2] * 2, pixels.shape[3] * 2), next(shades)
    )
    row = np.asarray(desk.upscale(upscaler, picture((128, 64)), (256, 128)))[64, :, 0].astype(int)
    steps = np.diff(row)
    assert (row[0], row[-1]) == (0, 255)
    assert steps.min() >= 0
    assert steps.max() <= 10
