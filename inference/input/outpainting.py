"""The canvas of a picture that is to be drawn beyond its borders."""

import numpy as np
from PIL import Image, ImageFilter

from contract.model import ModelDeclaration
from contract.options import Outpaint
from contract.problem import ErrorCode
from contract.size import GRID, Size, to_grid
from inference.engine.errors import InputError
from inference.input.resizing import Framing, generation_size

_SOFTNESS = 8
"""Pixels, the radius of a Gaussian blur."""
_NOISE = 12
"""Gaussian, of 255: without it, less than full strength would draw the border out into stripes."""


def place(image: Image.Image, outpaint: Outpaint, model: ModelDeclaration) -> Image.Image:
    """The picture at the size that it has on the canvas: its own, where the model can draw that.

    Args:
        image: RGB.
        outpaint: the borders around it.
        model: whose limits the canvas is held to.

    Raises:
        InputError: the canvas is outside these limits.
    """
    most = model.limits.max_size
    size = to_grid(image.width), to_grid(image.height)
    if max(size) > most:
        size = generation_size(image.size, width=None, height=None, model=model)
    canvas = _canvas_size(size, outpaint)
    if not (model.limits.min_size <= min(canvas) and max(canvas) <= most):
        detail = (
            f"would make a canvas of {canvas[0]} x {canvas[1]} pixels; the model draws between "
            f"{model.limits.min_size} and {most} a side"
        )
        raise InputError(ErrorCode.VALIDATION_FAILED, "#/outpaint", detail)
    return Framing.of(image.size, size).apply(image)


def extend(image: Image.Image, outpaint: Outpaint) -> Image.Image:
    """The canvas: the picture, and around it its border's colours, softened and under noise.

    Args:
        image: RGB, as `place` gives it.
        outpaint: the borders around it.
    """
    sides = ((outpaint.top, outpaint.bottom), (outpaint.left, outpaint.right), (0, 0))
    drawn_out = Image.fromarray(np.pad(np.asarray(image), sides, mode="edge"))
    soft = np.asarray(drawn_out.filter(ImageFilter.GaussianBlur(_SOFTNESS)), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE, soft.shape)
    canvas = Image.fromarray((soft + noise).clip(0, 255).astype(np.uint8))
    canvas.paste(image, (outpaint.left, outpaint.top))
    return canvas


def added(size: Size, outpaint: Outpaint, *, overlap: int) -> Image.Image:
    """The mask of the canvas: white beyond the picture, and a little way into it.

    Args:
        size: of the picture.
        outpaint: the borders around it.
        overlap: pixels that are drawn anew of the picture, at the most a quarter of its side; rounded up to
            whole latents.
    """
    (left, top), (width, height) = (outpaint.left, outpaint.top), size
    across, along = (min(-(-overlap // GRID), side // GRID // 4) * GRID for side in size)
    mask = Image.new("L", _canvas_size(size, outpaint), "white")
    kept = (
        left + (across if outpaint.left else 0),
        top + (along if outpaint.top else 0),
        left + width - (across if outpaint.right else 0),
        top + height - (along if outpaint.bottom else 0),
    )
    mask.paste(0, kept)
    return mask


def _canvas_size(size: Size, outpaint: Outpaint) -> Size:
    return size[0] + outpaint.left + outpaint.right, size[1] + outpaint.top + outpaint.bottom
