"""Masks of the shapes and fill patterns, painted with PIL."""

import math
from itertools import product

from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "cross", "diamond")
NEW_SHAPE = "moon"
"""The shape that the LoRA adds; the base model is not trained on it."""

_PERIODS = 10
"""Stripes, or rows of dots, in an image's width."""


def silhouette(
    shape: str, side: int, centre: tuple[float, float], radius: float, rotation: float
) -> Image.Image:
    """A mask of a shape, 255 inside.

    Args:
        shape: one of `SHAPES`, or `NEW_SHAPE`.
        side: width and height of the mask in pixels.
        centre: of the shape, x and y in pixels.
        radius: in pixels.
        rotation: clockwise, in degrees; for shapes with corners.
    """
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    x, y = centre
    if shape in ("circle", "ring"):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        if shape == "ring":
            inner = 0.45 * radius
            draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=0)
        return mask
    if shape == NEW_SHAPE:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        cutout = (x - 0.35 * radius, y - 0.9 * radius, x + 1.45 * radius, y + 0.9 * radius)
        draw.ellipse(cutout, fill=0)
        return mask
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    outline = [
        (x + radius * (u * cosine - v * sine), y + radius * (u * sine + v * cosine))
        for u, v in _OUTLINES[shape]
    ]
    draw.polygon(outline, fill=255)
    return mask


def _star() -> list[tuple[float, float]]:
    radii = (1.05, 0.45)
    return [
        (radii[i % 2] * math.sin(i * math.pi / 5), -radii[i % 2] * math.cos(i * math.pi / 5))
        for i in range(10)
    ]


def _heart() -> list[tuple[float, float]]:
    """The heart curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    points = []
    for step in range(60):
        t = step * math.tau / 60
        height = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((math.sin(t) ** 3, -(height + 2.5) / 15))
    return points


def _cross() -> list[tuple[float, float]]:
    arm = 0.34
    return [
        (-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm),
        (arm, 1), (-arm, 1), (-arm, arm), (-1, arm), (-1, -arm), (-arm, -arm),
    ]  # fmt: skip


_OUTLINES = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "triangle": [(0.0, -0.95), (1.0, 0.8), (-1.0, 0.8)],
    "diamond": [(0.0, -1.05), (0.72, 0.0), (0.0, 1.05), (-0.72, 0.0)],
    "star": _star(),
    "heart": _heart(),
    "cross": _cross(),
}


def stripes(side: int, centre: tuple[float, float]) -> Image.Image:
    """A mask of vertical stripes, 255 inside; one runs through the centre."""
    pattern = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(pattern)
    period = side / _PERIODS
    half_width = 0.32 * period
    for i in range(-_PERIODS, _PERIODS + 1):
        x = centre[0] + i * period
        draw.rectangle((x - half_width, 0, x + half_width, side), fill=255)
    return pattern


def dots(side: int, centre: tuple[float, float]) -> Image.Image:
    """A mask of round holes on a grid, 0 inside; the centre lies between four of them."""
    pattern = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(pattern)
    period = side / _PERIODS
    radius = 0.27 * period
    for i, j in product(range(-_PERIODS, _PERIODS), repeat=2):
        x, y = centre[0] + (i + 0.5) * period, centre[1] + (j + 0.5) * period
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return pattern
