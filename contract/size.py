"""Image sizes."""

Size = tuple[int, int]
"""Width and height in pixels."""

GRID = 8
"""The VAE's scale factor: pixels for each latent along a side. The sides of images are multiples of it."""


def to_grid(pixels: float) -> int:
    """Rounds a side to the nearest positive multiple of `GRID`."""
    return max(round(pixels / GRID), 1) * GRID
