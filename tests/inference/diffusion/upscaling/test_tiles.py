"""Tiles: their positions, and the blending of the upscaled tiles."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.diffusion.upscaling.tiles import MARGIN, OVERLAP, split_into_tiles
from inference.diffusion.upscaling.upscaler import MAX_TILE_SIZE
from tests.inference import tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import (
    UpscalingHarness,
    call_before_forward,
    create_upscaler,
    noise_image,
)

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@given(length=st.integers(1, 5000), max_tile_size=st.integers(OVERLAP + 1, MAX_TILE_SIZE))
def test_tiles_of_one_size_cover_the_image_and_overlap(length: int, max_tile_size: int) -> None:
    spans = [tile.columns for tile in split_into_tiles((length, 1), max_tile_size=max_tile_size)]
    assert spans == [tile.rows for tile in split_into_tiles((1, length), max_tile_size=max_tile_size)]
    assert (spans[0].start, spans[-1].end) == (0, length)
    assert len({span.end - span.start for span in spans}) == 1
    assert 1 <= spans[0].end <= max_tile_size
    assert all(left.start < right.start <= left.end - OVERLAP for left, right in pairwise(spans))


def test_tiles_are_ordered_row_by_row() -> None:
    tiles = [tile.box for tile in split_into_tiles((160, 100), max_tile_size=120)]
    assert tiles == [(0, 0, 112, 100), (48, 0, 160, 100)]
    tiles = [tile.box for tile in split_into_tiles((160, 100), max_tile_size=96)]
    assert tiles == [(left, upper, left + 96, upper + 82) for upper in (0, 18) for left in (0, 32, 64)]


@pytest.mark.parametrize(("architecture", "scale"), [("esrgan", 2), ("esrgan", 4), ("span", 2)])
def test_blended_tiles_equal_the_image_upscaled_as_one_tile(
    harness: UpscalingHarness, tmp_path: Path, architecture: str, scale: int
) -> None:
    """They are equal because the margin is not smaller than the model's receptive field."""
    assert tiny_upscalers.RECEPTIVE_RADIUS[architecture] <= MARGIN
    upscaler = create_upscaler(tmp_path, tiny_upscalers.network(architecture, scale=scale))
    tiles: list[tuple[int, ...]] = []
    call_before_forward(upscaler, tiles.append)
    size = (160 * scale, 100 * scale)
    tiled = harness.upscale(upscaler, noise_image(), size)
    assert len(tiles) == 3 * 2
    upscaler.max_tile_size = MAX_TILE_SIZE
    whole = harness.upscale(upscaler, noise_image(), size)
    assert tiles[-1] == (100, 160)
    assert np.asarray(whole).std() > 1
    assert np.array_equal(np.asarray(tiled), np.asarray(whole))


def test_adjacent_tiles_that_differ_are_blended_smoothly(harness: UpscalingHarness, tmp_path: Path) -> None:
    """Tiles differ if the model's receptive field is larger than the margin."""
    upscaler = create_upscaler(tmp_path)
    levels = iter([0.0, 1.0])
    upscaler._model._call_fn = lambda _model, pixels: torch.full(
        (1, 3, pixels.shape[2] * 2, pixels.shape[3] * 2), next(levels)
    )
    row = np.asarray(harness.upscale(upscaler, noise_image((128, 64)), (256, 128)))[64, :, 0].astype(int)
    steps = np.diff(row)
    assert (row[0], row[-1]) == (0, 255)
    assert steps.min() >= 0
    assert steps.max() <= 10
