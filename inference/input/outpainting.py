"""Canvas and mask of outpainting."""

import numpy as np
from PIL import Image, ImageFilter

from contract.model import ModelDeclaration
from contract.options import Outpaint
from contract.problem import ErrorCode
from contract.size import GRID, Size, to_grid
from inference.engine.errors import InputError
from inference.input.resizing import CropResize, generation_size

_BLUR_RADIUS = 8
"""Pixels."""
_NOISE = 12
"""Standard deviation, of 255. Without noise, strengths below 1 would turn the edge pixels into stripes."""


def resize_for_canvas(image: Image.Image, outpaint: Outpaint, model: ModelDeclaration) -> Image.Image:
    """Resizes the image to multiples of 8 pixels, and to the model's default area if it exceeds the limits.

    Args:
        image: RGB.
        outpaint: the borders to add.
        model: its limits apply to the canvas.

    Raises:
        InputError: the canvas is outside the limits.
    """
    limits = model.limits
    size = to_grid(image.width), to_grid(image.height)
    if max(size) > limits.max_size:
        size = generation_size(image.size, width=None, height=None, model=model)
    canvas = _canvas_size(size, outpaint)
    if not (limits.min_size <= min(canvas) and max(canvas) <= limits.max_size):
        detail = (
            f"would result in a canvas of {canvas[0]} x {canvas[1]} pixels; the model accepts sides between "
            f"{limits.min_size} and {limits.max_size} pixels"
        )
        raise InputError(ErrorCode.VALIDATION_FAILED, "#/outpaint", detail)
    return CropResize.between(image.size, size).apply(image)


def extend_canvas(image: Image.Image, outpaint: Outpaint) -> Image.Image:
    """Extends the image by the borders, filled with its edge pixels, blurred and with noise.

    Args:
        image: RGB, resized by `resize_for_canvas`.
        outpaint: the borders to add.
    """
    borders = ((outpaint.top, outpaint.bottom), (outpaint.left, outpaint.right), (0, 0))
    padded = Image.fromarray(np.pad(np.asarray(image), borders, mode="edge"))
    blurred = np.asarray(padded.filter(ImageFilter.GaussianBlur(_BLUR_RADIUS)), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE, blurred.shape)
    canvas = Image.fromarray((blurred + noise).clip(0, 255).astype(np.uint8))
    canvas.paste(image, (outpaint.left, outpaint.top))
    return canvas


def outpaint_mask(size: Size, outpaint: Outpaint, *, overlap: int) -> Image.Image:
    """The mask of the canvas: white on the borders and on a strip of the image along them, else black.

    Args:
        size: of the image.
        outpaint: the borders to add.
        overlap: width of the strip in pixels, rounded up to whole latents; at most a quarter of the image.
    """
    (left, top), (width, height) = (outpaint.left, outpaint.top), size
    overlap_x, overlap_y = (min(-(-overlap // GRID), side // GRID // 4) * GRID for side in size)
    mask = Image.new("L", _canvas_size(size, outpaint), "white")
    kept = (
        left + (overlap_x if outpaint.left else 0),
        top + (overlap_y if outpaint.top else 0),
        left + width - (overlap_x if outpaint.right else 0),
        top + height - (overlap_y if outpaint.bottom else 0),
    )
    mask.paste(0, kept)
    return mask


def _canvas_size(size: Size, outpaint: Outpaint) -> Size:
    return size[0] + outpaint.left + outpaint.right, size[1] + outpaint.top + outpaint.bottom
