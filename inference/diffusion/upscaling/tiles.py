"""Where the tiles of a picture lie, and how what becomes of them is joined."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from PIL import Image

from contract.size import Size

MARGIN = 24
"""Pixels beside a cut that are thrown away: they have not seen what is beyond it."""

FADE = 16
"""Pixels over which one tile gives way to the next."""

OVERLAP = 2 * MARGIN + FADE
"""Pixels that neighbours share at the least."""


@dataclass(frozen=True)
class Span:
    """A part of a picture's width or height, pixels."""

    start: int
    end: int


@dataclass(frozen=True)
class Tile:
    """A part of a picture."""

    across: Span
    down: Span

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower border, pixels, as Pillow has them."""
        return (self.across.start, self.down.start, self.across.end, self.down.end)


def tiles_of(size: Size, *, largest: int) -> Iterator[Tile]:
    """The tiles of a picture, row by row, of one size that is at most `largest` pixels a side.

    Args:
        size: the picture's.
        largest: more than `OVERLAP`.
    """
    across, down = (_spans(length, largest) for length in size)
    return (Tile(column, row) for row, column in product(down, across))


def _spans(length: int, largest: int) -> list[Span]:
    """Spans of one length, spread evenly."""
    if length <= largest:
        return [Span(0, length)]
    number = ceil((length - OVERLAP) / (largest - OVERLAP))
    span = ceil((length + (number - 1) * OVERLAP) / number)
    starts = [index * (length - span) // (number - 1) for index in range(number)]
    return [Span(start, start + span) for start in starts]


class Mosaic:
    """Joins what has become of tiles, row by row; neighbours fade into one another.

    Where both are the same, the result is too, to the byte.

    Attributes:
        image: of the tiles in the rows that are complete.
    """

    def __init__(self, size: Size, *, scale: int) -> None:
        """Begins without a tile.

        Args:
            size: of the picture that the tiles are parts of.
            scale: what has become of them is so many times as large.
        """
        self.image = Image.new("RGB", (size[0] * scale, size[1] * scale))
        self._row = self.image
        self._scale = scale

    def lay(self, upscaled: Image.Image, tile: Tile) -> None:
        """Puts in what has become of the tile after those that were put in."""
        left, upper, right, _ = (side * self._scale for side in tile.box)
        if left == 0:
            self._row = Image.new("RGB", (self.image.width, upscaled.height))
        weights = self._weights(tile.across)[None, :]
        self._row.paste(upscaled, (left, 0), _mask(weights, upscaled.size))
        if right == self.image.width:
            weights = self._weights(tile.down)[:, None]
            self.image.paste(self._row, (0, upper), _mask(weights, self._row.size))

    def _weights(self, span: Span) -> np.ndarray:
        """How much the pixels along it count: in the margin of a cut nothing, then more and more."""
        position = np.arange((span.end - span.start) * self._scale) / self._scale
        return np.clip((position - MARGIN) / FADE, 0, 1) if span.start else np.ones_like(position)


def _mask(weights: np.ndarray, size: Size) -> Image.Image:
    levels = np.rint(weights * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(levels, size[::-1])))
