"""The scenes of the training set: one coloured shape on a coloured background, painted with PIL."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Self

from PIL import Image

from training.shapes import SHAPES, dots, silhouette, stripes

SIZE = 128
"""Width and height of a scene's image in pixels."""

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
SIZES = {"small": 0.17, "medium": 0.25, "big": 0.345}
"""Radius as a share of the image's width."""

POSITIONS = {
    "centre": (0.5, 0.5),
    "left": (0.28, 0.5),
    "right": (0.72, 0.5),
    "top": (0.5, 0.28),
    "bottom": (0.5, 0.72),
}
STYLES = ("filled", "outlined", "striped", "dotted")

_OVERSAMPLING = 3
_HELD_OUT_EVERY = 11


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Random variation between two images of the same description.

    Attributes:
        shift: of the centre, right and down, as shares of the image's width.
        scale: factor of the radius.
        rotation: clockwise, in degrees.
        tint: added to every channel of the figure and of the background.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    rotation: float = 0.0
    tint: tuple[int, int] = (0, 0)

    @classmethod
    def random(cls, rng: random.Random) -> Self:
        """A small variation of each."""
        return cls(
            shift=(rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04)),
            scale=rng.uniform(0.93, 1.07),
            rotation=rng.uniform(-6, 6),
            tint=(rng.randint(-6, 6), rng.randint(-6, 6)),
        )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The description of one image."""

    shape: str
    colour: str
    background: str
    size: str = "medium"
    position: str = "centre"
    style: str = "filled"
    jitter: Jitter = field(default_factory=Jitter)

    @property
    def held_out(self) -> bool:
        """Whether this triple of shape, colour and background is held out from training."""
        if self.shape not in SHAPES:
            return False
        number = (
            SHAPES.index(self.shape) * 64
            + list(COLOURS).index(self.colour) * 8
            + list(COLOURS).index(self.background)
        )
        return number * 7 % _HELD_OUT_EVERY == 0

    def draw(self) -> Image.Image:
        """The image, RGB, `SIZE` x `SIZE` pixels."""
        side = SIZE * _OVERSAMPLING
        figure_tint, background_tint = self.jitter.tint
        image = Image.new("RGB", (side, side), _tinted(self.background, background_tint))
        image.paste(_tinted(self.colour, figure_tint), (0, 0), self._mask(side))
        return image.reduce(_OVERSAMPLING)

    def _mask(self, side: int) -> Image.Image:
        """The figure's mask: 255 inside, 0 outside."""
        centre, radius = self._placement(side)
        mask = silhouette(self.shape, side, centre, radius, self.jitter.rotation)
        if self.style == "filled":
            return mask
        empty = Image.new("L", mask.size, 0)
        if self.style == "outlined":
            mask.paste(0, (0, 0), silhouette(self.shape, side, centre, 0.64 * radius, self.jitter.rotation))
            return mask
        pattern = stripes(side, centre) if self.style == "striped" else dots(side, centre)
        return Image.composite(mask, empty, pattern)

    def _placement(self, side: int) -> tuple[tuple[float, float], float]:
        radius = SIZES[self.size] * self.jitter.scale
        centre = [
            min(max(position + shift, radius + 0.02), 0.98 - radius)
            for position, shift in zip(POSITIONS[self.position], self.jitter.shift, strict=True)
        ]
        return (centre[0] * side, centre[1] * side), radius * side


def all_triples() -> Iterator[Scene]:
    """Every shape in every colour on every background of another colour."""
    for shape, colour, background in product(SHAPES, COLOURS, COLOURS):
        if colour != background:
            yield Scene(shape=shape, colour=colour, background=background)


def training_triples() -> list[Scene]:
    """The triples of the training set: all that are not held out."""
    return [triple for triple in all_triples() if not triple.held_out]


def random_scene(rng: random.Random, triples: list[Scene]) -> Scene:
    """A random triple with random size, position and style; the defaults are more likely.

    Rings are never outlined.
    """
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
