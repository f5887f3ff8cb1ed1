"""What is to be drawn anew: masks, black and white."""

import numpy as np
from PIL import Image

from contract.problem import ErrorCode
from contract.size import GRID, Size
from inference.engine.errors import InputError
from inference.input.resizing import Framing

_POINTER = "#/mask_image"
_HALF = 128
_ROUNDING = 0.02
"""By how much shapes may differ: sides of a few hundred pixels that are rounded to multiples of 8."""


def check_shape(mask: Size, picture: Size) -> None:
    """Holds a mask's shape to that of the picture it belongs to; their sizes may differ.

    Raises:
        InputError: the shapes differ by more than rounding.
    """
    across, along = mask[0] * picture[1], mask[1] * picture[0]
    one_pixel = max(*mask, *picture)
    if abs(across - along) > max(one_pixel, _ROUNDING * max(across, along)):
        detail = (
            f"has {mask[0]} x {mask[1]} pixels, another shape than the {picture[0]} x {picture[1]} of "
            "input_image; send a mask that covers the picture exactly, at any size"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, _POINTER, detail)


def frame_mask(mask: Image.Image, framing: Framing) -> Image.Image:
    """The mask as L, black and white, in its picture's framing.

    As in AUTOMATIC1111's web UI, a mask that has transparency is its alpha channel: what is opaque is drawn
    anew. Of all others it is the brightness, from half on, as in diffusers.

    Args:
        mask: RGB or RGBA.
        framing: that of the input image.

    Raises:
        InputError: nothing in it is to be drawn anew.
    """
    framed = framing.apply(_brightness(mask), Image.Resampling.BILINEAR)
    binary = framed.point(lambda value: 255 if value >= _HALF else 0)
    if binary.getbbox() is None:
        detail = "leaves nothing to draw; make white what is to be drawn anew"
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, _POINTER, detail)
    return binary


def whole_latents(mask: Image.Image) -> Image.Image:
    """The mask, grown until it covers every latent whole that it touches."""
    rows, columns = mask.height // GRID, mask.width // GRID
    latents = np.asarray(mask).reshape(rows, GRID, columns, GRID).max(axis=(1, 3))
    return Image.fromarray(latents.repeat(GRID, axis=0).repeat(GRID, axis=1))


def _brightness(mask: Image.Image) -> Image.Image:
    if mask.mode == "RGBA" and mask.getchannel("A").getextrema() != (255, 255):
        return mask.getchannel("A")
    return mask.convert("L")
