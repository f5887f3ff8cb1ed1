"""Image analysis without a network: colours, shape, position and size of the figure in an image."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.scene import COLOURS, POSITIONS, SIZE, SIZES, Scene
from training.shapes import SHAPES

_BORDER = 4
_FIGURE_DISTANCE = 0.45
_TEMPLATE_SIDE = 40
_GAP = 11

Pixels = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ImageAnalysis:
    """The figure in an image and its background; without a figure only `background` is set.

    Attributes:
        background: name of the colour nearest to the border's.
        colour: name of the colour nearest to the figure's.
        shape: the shape whose template overlaps the figure most.
        overlap: of the figure and that template, intersection over union.
        position: name of the position nearest to the figure's centre.
        size: name of the size nearest to the figure's extent.
    """

    background: str
    colour: str | None = None
    shape: str | None = None
    overlap: float = 0.0
    position: str | None = None
    size: str | None = None


def analyse(image: Image.Image, style: str = "filled", shapes: Sequence[str] = SHAPES) -> ImageAnalysis:
    """Segments the figure by its colour distance from the border, and classifies it.

    Args:
        image: RGB, of any size.
        style: the style of the templates that the figure is compared with.
        shapes: the shapes to choose from.
    """
    pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE)), dtype=float)
    border = np.median(_border(pixels), axis=0)
    background = _nearest_colour(border)
    distance = np.linalg.norm(pixels - border, axis=2)
    if np.quantile(distance, 0.995) < 40:
        return ImageAnalysis(background)
    mask = distance > _FIGURE_DISTANCE * np.quantile(distance, 0.99)
    colour = _nearest_colour(np.median(pixels[distance > 0.8 * np.quantile(distance, 0.99)], axis=0))
    box = _bounds(mask)
    shape, overlap = _best_shape(mask, style, shapes)
    top, bottom, left, right = box
    centre = ((left + right) / 2 / SIZE, (top + bottom) / 2 / SIZE)
    radius = max(bottom - top, right - left) / 2 / SIZE
    return ImageAnalysis(
        background=background,
        colour=colour,
        shape=shape,
        overlap=overlap,
        position=min(POSITIONS, key=lambda name: np.hypot(*np.subtract(POSITIONS[name], centre))),
        size=min(SIZES, key=lambda name: abs(SIZES[name] - radius)),
    )


def _border(pixels: Pixels) -> Pixels:
    edges = (pixels[:_BORDER], pixels[-_BORDER:], pixels[:, :_BORDER], pixels[:, -_BORDER:])
    return np.concatenate([edge.reshape(-1, 3) for edge in edges])


def _nearest_colour(colour: Pixels) -> str:
    return min(COLOURS, key=lambda name: float(np.linalg.norm(colour - np.array(COLOURS[name]))))


def _bounds(mask: Mask) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the mask without its outermost hundredth, which may be stray pixels."""
    rows, columns = np.nonzero(mask)
    top, bottom = np.quantile(rows, (0.005, 0.995))
    left, right = np.quantile(columns, (0.005, 0.995))
    return int(top), int(bottom) + 1, int(left), int(right) + 1


def _best_shape(mask: Mask, style: str, shapes: Sequence[str]) -> tuple[str, float]:
    if style in ("striped", "dotted"):
        mask, style = _closed(mask), "filled"
    figure = _normalized(mask)
    overlaps = {shape: _overlap(figure, _template(shape, style)) for shape in shapes}
    best = max(overlaps, key=lambda shape: overlaps[shape])
    return best, overlaps[best]


def _closed(mask: Mask) -> Mask:
    """The mask with the gaps between stripes and the holes of dots closed."""
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.filter(ImageFilter.MaxFilter(_GAP)).filter(ImageFilter.MinFilter(_GAP))) > 0


@cache
def _template(shape: str, style: str) -> Mask:
    scene = Scene(shape=shape, colour="black", background="white", size="big")
    styled = scene if (shape, style) == ("ring", "outlined") else replace(scene, style=style)
    return _normalized(np.asarray(styled.draw().convert("L")) < 128)


def _normalized(mask: Mask) -> Mask:
    """The mask cropped to its bounds and resized, so that only its shape remains."""
    top, bottom, left, right = _bounds(mask)
    box = Image.fromarray(mask[top:bottom, left:right])
    return np.asarray(box.resize((_TEMPLATE_SIDE, _TEMPLATE_SIDE)), dtype=bool)


def _overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))
