"""Where the tiles of a picture lie, and how what becomes of them is joined."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
from PIL import Image

from inference.engine import Size

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


def join(canvas: Image.Image, enlarged: Image.Image, tile: Tile, *, scale: int) -> None:
    """Lays what has become of a tile over what has become of those before it; they fade into one another.

    Where both are the same, the result is too, to the byte.

    Args:
        canvas: `scale` times as large as the picture.
        enlarged: `scale` times as large as the tile.
        tile: where it lies in the picture.
        scale: of the model.
    """
    weights = np.outer(_weights(tile.down, scale), _weights(tile.across, scale))
    mask = Image.fromarray(np.rint(weights * 255).astype(np.uint8))
    canvas.paste(enlarged, (tile.across.start * scale, tile.down.start * scale), mask)


def _weights(span: Span, scale: int) -> np.ndarray:
    """How much each pixel counts: nothing in the margin of a cut at the start, then more and more."""
    position = np.arange((span.end - span.start) * scale) / scale
    if span.start == 0:
        return np.ones_like(position)
    return np.clip((position - MARGIN) / FADE, 0, 1)
