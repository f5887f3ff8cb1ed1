"""Sizes of pictures."""

Size = tuple[int, int]
"""Width and height, pixels."""

GRID = 8
"""Pixels to a latent, along either side: what is drawn has sides that are multiples of it."""


def to_grid(pixels: float) -> int:
    """The nearest side that can be drawn."""
    return max(round(pixels / GRID), 1) * GRID
