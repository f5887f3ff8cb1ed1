"""Image sizes."""

Size = tuple[int, int]
"""Width and height in pixels."""

MAX_SIDE = 16_376
"""Largest side in pixels that all output formats support; WebP's limit is 16,383."""

GRID = 8
"""The VAE's scale factor: pixels for each latent along a side. The sides of images are multiples of it."""


def to_grid(pixels: float) -> int:
    """Rounds a side to the nearest positive multiple of `GRID`."""
    return max(round(pixels / GRID), 1) * GRID
