"""Splitting of images into overlapping tiles, and blending of the upscaled tiles."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from PIL import Image

from contract.size import Size

MARGIN = 24
"""Pixels at a tile's inner edges that are discarded: the model lacks their surroundings."""

BLEND = 16
"""Pixels over which two adjacent tiles are blended."""

OVERLAP = 2 * MARGIN + BLEND
"""Pixels that adjacent tiles share at least."""


@dataclass(frozen=True)
class Span:
    """A range of an image's columns or rows in pixels; `end` is exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Tile:
    """A rectangle of an image."""

    columns: Span
    rows: Span

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower border in pixels, as in Pillow."""
        return (self.columns.start, self.rows.start, self.columns.end, self.rows.end)


def split_into_tiles(size: Size, *, max_tile_size: int) -> Iterator[Tile]:
    """The tiles of an image, row by row, all of one size.

    Args:
        size: of the image in pixels.
        max_tile_size: pixels a side, more than `OVERLAP`.
    """
    columns, rows = (_spans(length, max_tile_size) for length in size)
    return (Tile(of_columns, of_rows) for of_rows, of_columns in product(rows, columns))


def _spans(length: int, max_length: int) -> list[Span]:
    """Evenly distributed, overlapping spans of one length."""
    if length <= max_length:
        return [Span(0, length)]
    count = ceil((length - OVERLAP) / (max_length - OVERLAP))
    span = ceil((length + (count - 1) * OVERLAP) / count)
    starts = [index * (length - span) // (count - 1) for index in range(count)]
    return [Span(start, start + span) for start in starts]


class TileBlender:
    """Blends the upscaled tiles of an image linearly where they overlap.

    Where two tiles are equal, the result is equal to them, to the byte.

    Attributes:
        image: the upscaled image; complete rows of tiles only.
    """

    def __init__(self, size: Size, *, scale: int) -> None:
        """Begins with a black image.

        Args:
            size: of the original image in pixels.
            scale: the factor that the tiles are upscaled by.
        """
        self.image = Image.new("RGB", (size[0] * scale, size[1] * scale))
        self._row = self.image
        self._scale = scale

    def add(self, upscaled: Image.Image, tile: Tile) -> None:
        """Adds an upscaled tile; tiles are added in the order of `split_into_tiles`."""
        left, upper, right, _ = (side * self._scale for side in tile.box)
        if left == 0:
            self._row = Image.new("RGB", (self.image.width, upscaled.height))
        weights = self._weights(tile.columns)[None, :]
        self._row.paste(upscaled, (left, 0), _mask(weights, upscaled.size))
        if right == self.image.width:
            weights = self._weights(tile.rows)[:, None]
            self.image.paste(self._row, (0, upper), _mask(weights, self._row.size))

    def _weights(self, span: Span) -> np.ndarray:
        """The blending weights along a span, 0 to 1: 0 in the margin, then increasing to 1."""
        position = np.arange((span.end - span.start) * self._scale) / self._scale
        return np.clip((position - MARGIN) / BLEND, 0, 1) if span.start else np.ones_like(position)


def _mask(weights: np.ndarray, size: Size) -> Image.Image:
    levels = np.rint(weights * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(levels, size[::-1])))
