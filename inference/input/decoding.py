"""Bytes of any sort to pixels: what cameras, scanners and programs write, and what only looks like it."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from contract.problem import ErrorCode
from inference.engine.errors import InputError

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, struct.error)
"""What Pillow's decoders raise over bytes that no encoder has written."""

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.createProfile("sRGB")
_WHITES = (1.0, 255.0, 65_535.0)


def decode(data: bytes, *, pointer: str, max_pixels: int) -> Image.Image:
    """The first frame as RGB, or as RGBA where it has transparency; upright, 8 bits, in sRGB.

    Args:
        data: an encoded picture.
        pointer: the request's field it came from, for the error.
        max_pixels: a larger picture is refused before it is decoded.

    Raises:
        InputError: the bytes are no picture, or it is too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > max_pixels:
            raise _too_large(pointer, max_pixels)
        image.load()
        return _upright(image, _eight_bits(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(pointer, max_pixels) from error
    except _DAMAGE as error:
        detail = f"is not an image that can be decoded; send a whole file of {', '.join(_FORMATS)}"
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, pointer, detail) from error


def on_white(image: Image.Image) -> Image.Image:
    """A decoded picture as RGB, its transparency laid on white."""
    if image.mode == "RGB":
        return image
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return page.convert("RGB")


def _too_large(pointer: str, max_pixels: int) -> InputError:
    detail = f"has more than the {max_pixels:,} pixels that are accepted; send a smaller one"
    return InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _grey(image).convert("RGB")
    if not image.has_transparency_data:
        return _in_srgb(image, image.info.get("icc_profile"))
    layered = image.convert("RGBA")
    colours = _in_srgb(layered.convert("RGB"), image.info.get("icc_profile"))
    colours.putalpha(layered.getchannel("A"))
    return colours


def _grey(image: Image.Image) -> Image.Image:
    """Of more than 8 bits: white is 65535; of floats, the least of 1, 255 and 65535 that is enough."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=_WHITES[-1])
    white = _WHITES[-1]
    if image.mode == "F":
        white = next((each for each in _WHITES if values.max() <= each), white)
    return Image.fromarray((values.clip(0, white) * (255 / white)).round().astype(np.uint8))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as RGB by its colour profile, or, where that is of no use, without it."""
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image.convert("RGB")
        converted = ImageCms.profileToProfile(
            image if image.mode in ("L", "CMYK") else image.convert("RGB"), source, _SRGB, outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
    return converted or image.convert("RGB")


def _upright(image: Image.Image, pixels: Image.Image) -> Image.Image:
    """The pixels as the camera was held; as they are, where the picture's EXIF data is broken."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGE:
        return pixels
    return pixels if turn is None else pixels.transpose(turn)
