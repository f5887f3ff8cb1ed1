"""What the demo model knows: one coloured shape on a coloured background, and how to draw it."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Self

from PIL import Image, ImageDraw

SIZE = 128
"""Pixels of a picture's side."""

COLOURS = {
    "red": (220, 40, 45),
    "green": (40, 160, 70),
    "blue": (40, 80, 210),
    "yellow": (250, 220, 50),
    "orange": (245, 140, 30),
    "purple": (130, 55, 170),
    "black": (20, 20, 25),
    "white": (250, 250, 250),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "cross", "diamond")
NEW_SHAPE = "moon"
"""What the base model never sees: the LoRA adds it."""

SIZES = {"small": 0.17, "medium": 0.25, "big": 0.345}
"""The radius, as a share of the picture's side."""

POSITIONS = {
    "centre": (0.5, 0.5),
    "left": (0.28, 0.5),
    "right": (0.72, 0.5),
    "top": (0.5, 0.28),
    "bottom": (0.5, 0.72),
}
STYLES = ("filled", "outlined", "striped", "dotted")

_OVERSAMPLING = 3
_PERIODS = 10
"""Stripes or rows of dots in a picture's width."""

_HELD_OUT_EVERY = 11


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """What differs between two pictures of the same description.

    Attributes:
        shift: of the centre, right and down, as shares of the picture's side.
        scale: of the radius.
        turn: clockwise, in degrees.
        tint: added to every channel of the figure and of the background.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0
    tint: tuple[int, int] = (0, 0)

    @classmethod
    def random(cls, rng: random.Random) -> Self:
        """A little of everything."""
        return cls(
            shift=(rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04)),
            scale=rng.uniform(0.93, 1.07),
            turn=rng.uniform(-6, 6),
            tint=(rng.randint(-6, 6), rng.randint(-6, 6)),
        )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture's description."""

    shape: str
    colour: str
    background: str
    size: str = "medium"
    position: str = "centre"
    style: str = "filled"
    jitter: Jitter = field(default_factory=Jitter)

    @property
    def held_out(self) -> bool:
        """True for the triples of shape, colour and background that training never shows."""
        if self.shape not in SHAPES:
            return False
        place = (
            SHAPES.index(self.shape) * 64
            + list(COLOURS).index(self.colour) * 8
            + list(COLOURS).index(self.background)
        )
        return place * 7 % _HELD_OUT_EVERY == 0

    def draw(self) -> Image.Image:
        """The picture, RGB, `SIZE` pixels square."""
        side = SIZE * _OVERSAMPLING
        figure_tint, ground_tint = self.jitter.tint
        page = Image.new("RGB", (side, side), _tinted(self.background, ground_tint))
        page.paste(_tinted(self.colour, figure_tint), (0, 0), self._mask(side))
        return page.reduce(_OVERSAMPLING)

    def _mask(self, side: int) -> Image.Image:
        """Where the figure is: 255 inside, 0 outside."""
        centre, radius = self._placement(side)
        mask = _silhouette(self.shape, side, centre, radius, self.jitter.turn)
        if self.style == "filled":
            return mask
        hole = Image.new("L", mask.size, 0)
        if self.style == "outlined":
            mask.paste(0, (0, 0), _silhouette(self.shape, side, centre, 0.64 * radius, self.jitter.turn))
            return mask
        pattern = _stripes(side, centre) if self.style == "striped" else _dots(side, centre)
        return Image.composite(mask, hole, pattern)

    def _placement(self, side: int) -> tuple[tuple[float, float], float]:
        radius = SIZES[self.size] * self.jitter.scale
        centre = [
            min(max(place + shift, radius + 0.02), 0.98 - radius)
            for place, shift in zip(POSITIONS[self.position], self.jitter.shift, strict=True)
        ]
        return (centre[0] * side, centre[1] * side), radius * side


def all_triples() -> Iterator[Scene]:
    """Every shape in every colour on every background of another colour."""
    for shape, colour, background in product(SHAPES, COLOURS, COLOURS):
        if colour != background:
            yield Scene(shape=shape, colour=colour, background=background)


def shown_triples() -> list[Scene]:
    """The triples that training shows: all but the held-out ones."""
    return [triple for triple in all_triples() if not triple.held_out]


def random_scene(rng: random.Random, triples: list[Scene]) -> Scene:
    """A triple in a random size, place and style, plain ones more often. A ring has no outline."""
    triple = rng.choice(triples)
    return replace(
        triple,
        size=rng.choices(list(SIZES), (1, 2, 1))[0],
        position=rng.choices(list(POSITIONS), (4, 1, 1, 1, 1))[0],
        style=rng.choices(STYLES, (5, 0 if triple.shape == "ring" else 1, 1, 1))[0],
        jitter=Jitter.random(rng),
    )


def _tinted(colour: str, tint: int) -> tuple[int, int, int]:
    red, green, blue = (min(max(channel + tint, 0), 255) for channel in COLOURS[colour])
    return red, green, blue


def _silhouette(
    shape: str, side: int, centre: tuple[float, float], radius: float, turn: float
) -> Image.Image:
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
        bite = (x - 0.35 * radius, y - 0.9 * radius, x + 1.45 * radius, y + 0.9 * radius)
        draw.ellipse(bite, fill=0)
        return mask
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
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
    """The usual curve: x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
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


def _stripes(side: int, centre: tuple[float, float]) -> Image.Image:
    """Upright stripes, 255 where the figure shows; one runs through the centre."""
    pattern = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(pattern)
    period = side / _PERIODS
    half_width = 0.32 * period
    for i in range(-_PERIODS, _PERIODS + 1):
        x = centre[0] + i * period
        draw.rectangle((x - half_width, 0, x + half_width, side), fill=255)
    return pattern


def _dots(side: int, centre: tuple[float, float]) -> Image.Image:
    """A figure with round holes on a grid, 255 where it shows; the centre lies between four of them."""
    pattern = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(pattern)
    period = side / _PERIODS
    radius = 0.27 * period
    for i, j in product(range(-_PERIODS, _PERIODS), repeat=2):
        x, y = centre[0] + (i + 0.5) * period, centre[1] + (j + 0.5) * period
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return pattern
