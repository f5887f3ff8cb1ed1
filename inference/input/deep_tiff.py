"""TIFF files with samples of 32 or 64 bits, which Pillow reads wrongly or not at all."""

import io
import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    IMAGELENGTH,
    IMAGEWIDTH,
    PREFIXES,
    ImageFileDirectory_v2,
)

from contract.size import Size

_ORIENTATION = 0x0112
_DEEP_BITS = 32
_HEADER_BYTES = 8
_BIG_TIFF = (b"\x2b\x00", b"\x00\x2b")
_FLOAT_LEVELS = (1.0, 255.0, 65_535.0)
_INTEGER_LEVELS = (65_535.0, 2.0**31 - 1, 2.0**32 - 1)


class DeepTiff(NamedTuple):
    """The header of a TIFF file with samples of 32 or 64 bits.

    Attributes:
        size: width and height in pixels.
        orientation: EXIF's, 1 to 8.
    """

    size: Size
    orientation: int


def read_header(data: bytes) -> DeepTiff | None:
    """The header; None for other files, those with a damaged header included."""
    if data[:4] not in PREFIXES or data[2:4] in _BIG_TIFF:
        return None
    file = io.BytesIO(data)
    try:
        directory = ImageFileDirectory_v2(file.read(_HEADER_BYTES))
        file.seek(directory.next)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # for damaged tags
            directory.load(file)
        if max(_numbers(directory, BITSPERSAMPLE, 1)) < _DEEP_BITS:
            return None
        (width,), (height,) = (_numbers(directory, tag, 0) for tag in (IMAGEWIDTH, IMAGELENGTH))
        return DeepTiff((width, height), _numbers(directory, _ORIENTATION, 1)[0])
    except (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError):
        return None


def decode(data: bytes) -> Image.Image:
    """The image with 8 bits for each channel: L, RGB or RGBA.

    White is the smallest of 1, 255 and 65,535 that no value exceeds; for integers, of 65,535 and the largest
    signed and unsigned ones. An alpha channel has the same scale.

    Raises:
        ValueError: the file is damaged, or needs more memory than there is.
    """
    import cv2  # imported only by jobs that need it

    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError("OpenCV cannot decode the file") from error
    if pixels is None:
        raise ValueError("OpenCV cannot decode the file")
    eight_bits = _to_eight_bits(pixels)
    if eight_bits.ndim == 2:
        return Image.fromarray(eight_bits)
    blue, green, red, *alpha = np.moveaxis(eight_bits, -1, 0)
    return Image.fromarray(np.dstack([red, green, blue, *alpha]))


def _to_eight_bits(pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels, posinf=_FLOAT_LEVELS[-1])
        levels = _FLOAT_LEVELS
    else:
        levels = _INTEGER_LEVELS
    white = next((level for level in levels if pixels.max() <= level), levels[-1])
    scaled: npt.NDArray[np.uint8] = (pixels.clip(0, white) * (255 / white)).round().astype(np.uint8)
    return scaled


def _numbers(directory: ImageFileDirectory_v2, tag: int, default: int) -> tuple[int, ...]:
    value: Any = directory.get(tag, default)
    return tuple(map(int, value)) if isinstance(value, tuple) else (int(value),)
