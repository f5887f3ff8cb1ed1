"""Decoding of image files from any source, damaged and hostile ones included."""

import io
import struct

import numpy as np
from PIL import Image, ImageCms

from contract.problem import ErrorCode
from inference.engine.errors import InputError

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_DECODING_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
)
"""The exceptions of Pillow's decoders for damaged files."""

_ORIENTATION = 0x0112
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.createProfile("sRGB")
_WHITE_LEVELS = (1.0, 255.0, 65_535.0)


def decode(data: bytes, *, pointer: str, max_pixels: int) -> Image.Image:
    """Decodes the first frame as RGB, or as RGBA if it has transparency.

    The result has 8 bits for each channel and is in sRGB; the EXIF orientation is applied.

    Args:
        data: an image file.
        pointer: the field of the request, for errors.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        InputError: the file cannot be decoded, or the image is too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > max_pixels:
            raise _too_large(pointer, max_pixels)
        image.load()
        return _apply_orientation(image, _to_eight_bits(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(pointer, max_pixels) from error
    except _DECODING_ERRORS as error:
        detail = (
            f"the image cannot be decoded; send a complete file in one of the formats {', '.join(_FORMATS)}"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, pointer, detail) from error


def flatten_on_white(image: Image.Image) -> Image.Image:
    """A decoded image as RGB, composited on white if it has transparency."""
    if image.mode == "RGB":
        return image
    background = Image.new("RGBA", image.size, "white")
    background.alpha_composite(image)
    return background.convert("RGB")


def _too_large(pointer: str, max_pixels: int) -> InputError:
    detail = f"the image exceeds the limit of {max_pixels:,} pixels; send a smaller image"
    return InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _scale_gray(image).convert("RGB")
    if not image.has_transparency_data:
        return _to_srgb(image, image.info.get("icc_profile"))
    rgba = image.convert("RGBA")
    rgb = _to_srgb(rgba.convert("RGB"), image.info.get("icc_profile"))
    rgb.putalpha(rgba.getchannel("A"))
    return rgb


def _scale_gray(image: Image.Image) -> Image.Image:
    """Scales gray values of more than 8 bits to 8 bits.

    White is 65535 for integers; for floats, the smallest of 1, 255 and 65535 that no value exceeds.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=_WHITE_LEVELS[-1])
    white = _WHITE_LEVELS[-1]
    if image.mode == "F":
        white = next((each for each in _WHITE_LEVELS if values.max() <= each), white)
    return Image.fromarray((values.clip(0, white) * (255 / white)).round().astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as RGB, converted by its ICC profile; without the profile if that is unusable."""
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


def _apply_orientation(image: Image.Image, pixels: Image.Image) -> Image.Image:
    """Transposes the pixels according to the image's EXIF orientation, unless the EXIF data is damaged."""
    try:
        transposition = _TRANSPOSITIONS.get(image.getexif().get(_ORIENTATION, 1))
    except _DECODING_ERRORS:
        return pixels
    return pixels if transposition is None else pixels.transpose(transposition)
