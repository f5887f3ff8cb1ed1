"""Decoding of image files from any source, damaged and hostile ones included."""

import io
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pi_heif
from PIL import Image, ImageCms

from contract.problem import ErrorCode
from contract.size import Size
from inference.engine.errors import InputError
from inference.input import deep_tiff

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
pi_heif.register_heif_opener()
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
_WHITE_OF_DEEP_GRAY = 65_535

FULL_SIZE_PIXELS = 16_000_000
"""Larger images are reduced while they are decoded: four times the area of the largest generated images."""

_MAX_SIDE = 20_000
_MAX_JPEG_SCANS = 100
"""Encoders write about 10; every scan of a progressive JPEG costs a pass over the whole image."""

_BAND_ROWS = 256


def count_pixels(data: bytes, *, pointer: str, max_pixels: int) -> int:
    """The number of pixels of an image file, from its header.

    Raises:
        InputError: the file is no image, or the image is too large.
    """
    size = _webp_size(data)
    if size is None and (tiff := deep_tiff.read_header(data)) is not None:
        size = tiff.size
    if size is None:
        with _input_errors(pointer, max_pixels):
            size = Image.open(io.BytesIO(data), formats=FORMATS).size
    _check_size(size, pointer, max_pixels)
    return size[0] * size[1]


def decode(data: bytes, *, pointer: str, max_pixels: int) -> Image.Image:
    """Decodes the first frame as RGB, or as RGBA if it has transparency.

    The result has 8 bits for each channel and is in sRGB; the EXIF orientation is applied. Images of more
    than `FULL_SIZE_PIXELS` are reduced by a whole factor to at most that size.

    Args:
        data: an image file.
        pointer: the field of the request, for errors.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        InputError: the file cannot be decoded, or the image is too large.
    """
    with _input_errors(pointer, max_pixels):
        if (tiff := deep_tiff.read_header(data)) is not None:
            _check_size(tiff.size, pointer, max_pixels)
            return _transpose(_to_eight_bits(_reduce(deep_tiff.decode(data))), tiff.orientation)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(image.size, pointer, max_pixels)
        if image.format == "JPEG" and data.count(b"\xff\xda") > _MAX_JPEG_SCANS:
            detail = f"the JPEG has more than {_MAX_JPEG_SCANS} scans; save it again as a baseline JPEG"
            raise InputError(ErrorCode.INVALID_INPUT_IMAGE, pointer, detail)
        factor = _reduction(image.size)
        image.draft(None, (image.width // factor, image.height // factor))
        image.load()
        return _apply_orientation(image, _to_eight_bits(_reduce(image)))


@contextmanager
def _input_errors(pointer: str, max_pixels: int) -> Iterator[None]:
    """Converts the exceptions of Pillow."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(pointer, max_pixels) from error
    except _DECODING_ERRORS as error:
        detail = (
            f"the image cannot be decoded; send a complete file in one of the formats {', '.join(FORMATS)}"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, pointer, detail) from error


def _webp_size(data: bytes) -> Size | None:
    """The size in a WebP header; None for other files. Pillow would allocate the whole canvas to read it.

    https://developers.google.com/speed/webp/docs/riff_container
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case _:
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF


def _check_size(size: Size, pointer: str, max_pixels: int) -> None:
    if max(size) > _MAX_SIDE:
        detail = f"the image has {size[0]} x {size[1]} pixels; at most {_MAX_SIDE:,} per side are accepted"
        raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
    if size[0] * size[1] > max_pixels:
        raise _too_large(pointer, max_pixels)


def _reduce(image: Image.Image) -> Image.Image:
    """The image, averaged over squares if it has more than `FULL_SIZE_PIXELS`; in bands, to save memory."""
    factor = _reduction(image.size)
    if factor == 1:
        return image
    is_deep = image.mode.startswith("I")
    mode = "L" if is_deep or image.mode == "1" else image.mode if image.mode in ("L", "CMYK") else "RGB"
    mode = "RGBA" if image.has_transparency_data and not is_deep else mode
    reduced = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for top, band in _bands(image, _BAND_ROWS * factor):
        eight_bits = _scale_gray_band(band) if is_deep else band.convert(mode)
        reduced.paste(eight_bits.reduce(factor), (0, top // factor))
    if not is_deep and "icc_profile" in image.info:
        reduced.info["icc_profile"] = image.info["icc_profile"]
    return reduced


def _reduction(size: Size) -> int:
    return math.ceil(math.sqrt(size[0] * size[1] / FULL_SIZE_PIXELS))


def _bands(image: Image.Image, rows: int) -> Iterator[tuple[int, Image.Image]]:
    """Horizontal bands of at most `rows` rows, each with its first row."""
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


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
    if image.mode.startswith("I"):
        return _scale_gray(image).convert("RGB")
    if not image.has_transparency_data:
        return _to_srgb(image, image.info.get("icc_profile"))
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    rgb = _to_srgb(rgba.convert("RGB"), image.info.get("icc_profile"))
    rgb.putalpha(rgba.getchannel("A"))
    return rgb


def _scale_gray(image: Image.Image) -> Image.Image:
    """Scales gray values of 16 bits to 8 bits, in bands, to save memory."""
    scaled = Image.new("L", image.size)
    for top, band in _bands(image, _BAND_ROWS):
        scaled.paste(_scale_gray_band(band), (0, top))
    return scaled


def _scale_gray_band(band: Image.Image) -> Image.Image:
    values = np.asarray(band, dtype=np.float64).clip(0, _WHITE_OF_DEEP_GRAY)
    return Image.fromarray((values * (255 / _WHITE_OF_DEEP_GRAY)).round().astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image as RGB, converted by its ICC profile; without the profile if that is unusable."""
    if not profile:
        return image if image.mode == "RGB" else image.convert("RGB")
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
        orientation = image.getexif().get(_ORIENTATION, 1)
    except _DECODING_ERRORS:
        return pixels
    return _transpose(pixels, orientation)


def _transpose(pixels: Image.Image, orientation: object) -> Image.Image:
    transposition = _TRANSPOSITIONS.get(orientation) if isinstance(orientation, int) else None
    return pixels if transposition is None else pixels.transpose(transposition)
