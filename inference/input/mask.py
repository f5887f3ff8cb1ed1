"""Preparation of inpainting masks."""

import numpy as np
from PIL import Image

from contract.problem import ErrorCode
from contract.size import GRID, Size
from inference.engine.errors import InputError
from inference.input.resizing import CropResize

_POINTER = "#/mask_image"
_THRESHOLD = 128
_TRANSPARENT_SHARE = 0.01
"""Of the pixels: with less, alpha is a trace of an editor's brush and not the mask."""

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


def prepare_mask(
    mask: Image.Image, crop_resize: CropResize, *, invert: bool = False, alpha: bool = False
) -> Image.Image:
    """The mask as mode L: 255 where the image is regenerated, 0 where it is kept.

    White is regenerated, black is kept, with the threshold in the middle as in diffusers. Of a mask with
    transparent areas, the alpha channel is used, as in AUTOMATIC1111: opaque is regenerated, transparent is
    kept. If less than 1 % of the pixels are transparent, brightness decides all the same, and they are kept.

    Args:
        mask: RGB or RGBA.
        crop_resize: the transformation of the input image.
        invert: whether black is regenerated and white is kept.
        alpha: whether the alpha channel is used however few pixels are transparent; without one, all are
            opaque.

    Raises:
        InputError: the mask selects nothing.
    """
    intensity = _alpha(mask) if alpha else _intensity(mask)
    resized = crop_resize.apply(intensity, Image.Resampling.BILINEAR)
    selected, rest = (0, 255) if invert else (255, 0)
    binary = resized.point(lambda value: selected if value >= _THRESHOLD else rest)
    if binary.getbbox() is None:
        detail = f"the mask selects nothing; paint the areas to regenerate {_painted(invert, alpha)}"
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, _POINTER, detail)
    return binary


def resize_mask(mask: Image.Image, size: Size) -> Image.Image:
    """A black and white mask at another size: white where any pixel of the original is white."""
    if mask.size == size:
        return mask
    resized = mask.resize(size, Image.Resampling.BOX)
    return resized.point(lambda value: 255 if value else 0)


def expand_to_latents(mask: Image.Image) -> Image.Image:
    """The mask, expanded to whole latents: blocks of 8 x 8 pixels that contain a masked pixel."""
    rows, columns = mask.height // GRID, mask.width // GRID
    latents = np.asarray(mask).reshape(rows, GRID, columns, GRID).max(axis=(1, 3))
    return Image.fromarray(latents.repeat(GRID, axis=0).repeat(GRID, axis=1))


def _painted(invert: bool, alpha: bool) -> str:
    """The form of the areas to regenerate."""
    if alpha:
        return "transparent" if invert else "opaque, since mask_alpha is true"
    return "black or transparent, since mask_invert is true" if invert else "white"


def _alpha(mask: Image.Image) -> Image.Image:
    return mask.getchannel("A") if mask.mode == "RGBA" else Image.new("L", mask.size, 255)


def _intensity(mask: Image.Image) -> Image.Image:
    if mask.mode != "RGBA":
        return mask.convert("L")
    alpha = mask.getchannel("A")
    transparent = sum(alpha.histogram()[:_THRESHOLD])
    if transparent >= _TRANSPARENT_SHARE * alpha.width * alpha.height:
        return alpha
    brightness = mask.convert("RGB").convert("L")
    brightness.paste(0, mask=alpha.point(lambda value: 0 if value >= _THRESHOLD else 255))
    return brightness
