"""Preparation of inpainting masks."""

import numpy as np
from PIL import Image

from contract.problem import ErrorCode
from contract.size import GRID, Size
from inference.engine.errors import InputError
from inference.input.resizing import CropResize

_POINTER = "#/mask_image"
_THRESHOLD = 128
_TOLERANCE = 0.02
"""Relative difference of aspect ratios that rounding to multiples of 8 may cause."""


def check_aspect_ratio(mask: Size, image: Size) -> None:
    """Checks that a mask has the aspect ratio of the input image; their sizes may differ.

    Raises:
        InputError: the aspect ratios differ by more than rounding.
    """
    products = mask[0] * image[1], mask[1] * image[0]
    one_pixel = max(*mask, *image)
    if abs(products[0] - products[1]) > max(one_pixel, _TOLERANCE * max(products)):
        detail = (
            f"the mask has {mask[0]} x {mask[1]} pixels, input_image {image[0]} x {image[1]}; send a mask of "
            "the same aspect ratio, which covers the whole input image"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, _POINTER, detail)


def prepare_mask(mask: Image.Image, crop_resize: CropResize) -> Image.Image:
    """The mask as mode L: 255 where the image is regenerated, 0 where it is kept.

    White is regenerated, black is kept, with the threshold in the middle as in diffusers. Of a mask with an
    alpha channel that is not fully opaque, the alpha channel is used, as in AUTOMATIC1111: opaque is
    regenerated, transparent is kept.

    Args:
        mask: RGB or RGBA.
        crop_resize: the transformation of the input image.

    Raises:
        InputError: the mask selects nothing.
    """
    resized = crop_resize.apply(_intensity(mask), Image.Resampling.BILINEAR)
    binary = resized.point(lambda value: 255 if value >= _THRESHOLD else 0)
    if binary.getbbox() is None:
        detail = "the mask selects nothing; paint the areas to regenerate white"
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, _POINTER, detail)
    return binary


def expand_to_latents(mask: Image.Image) -> Image.Image:
    """The mask, expanded to whole latents: blocks of 8 x 8 pixels that contain a masked pixel."""
    rows, columns = mask.height // GRID, mask.width // GRID
    latents = np.asarray(mask).reshape(rows, GRID, columns, GRID).max(axis=(1, 3))
    return Image.fromarray(latents.repeat(GRID, axis=0).repeat(GRID, axis=1))


def _intensity(mask: Image.Image) -> Image.Image:
    if mask.mode == "RGBA" and mask.getchannel("A").getextrema() != (255, 255):
        return mask.getchannel("A")
    return mask.convert("L")
