"""Pictures in: bytes of any sort to RGB, and the size to draw at."""

import io
import math

from PIL import Image, ImageOps

from inference.contract.problem import ErrorCode, ProblemError

_WHITE = (255, 255, 255)
_STEP = 8
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


class InputImageError(ProblemError):
    """An input image cannot be used; `code` tells why."""


def decode(data: bytes, *, field: str, max_pixels: int) -> Image.Image:
    """The first frame as RGB: turned upright by its EXIF tag, transparency laid on white.

    Args:
        data: an encoded picture.
        field: the request's field it came from, for the error.
        max_pixels: a larger picture is refused before it is decoded.

    Raises:
        InputImageError: the bytes are no picture, or it is too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        if image.width * image.height > max_pixels:
            raise _too_large(field, max_pixels)
        image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(field, max_pixels) from None
    except (OSError, ValueError, SyntaxError) as error:
        raise InputImageError(
            f"{field} is not an image that can be decoded; send one of {', '.join(_FORMATS)}.",
            code=ErrorCode.INVALID_INPUT_IMAGE,
        ) from error
    return _to_rgb(ImageOps.exif_transpose(image))


def _too_large(field: str, max_pixels: int) -> InputImageError:
    return InputImageError(
        f"{field} has more than the {max_pixels:,} pixels that are accepted; send a smaller one.",
        code=ErrorCode.INPUT_IMAGE_TOO_LARGE,
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 257).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    page = Image.new("RGBA", image.size, (*_WHITE, 255))
    page.alpha_composite(image.convert("RGBA"))
    return page.convert("RGB")


def drawing_size(
    source: tuple[int, int],
    *,
    width: int | None,
    height: int | None,
    area: int,
    bounds: tuple[int, int],
) -> tuple[int, int]:
    """The size to draw a picture of size `source` at, in pixels.

    A side that is given is kept. What is not given follows the source's shape: from the other side, or,
    with neither, so that the picture covers about `area` pixels.

    Args:
        source: width and height of the input image.
        width: what the request says, or None.
        height: what the request says, or None.
        area: pixels that the model is at home with.
        bounds: least and most pixels of a side.
    """
    ratio = source[0] / source[1]
    return (
        width or _to_grid(height * ratio if height else math.sqrt(area * ratio), bounds),
        height or _to_grid(width / ratio if width else math.sqrt(area / ratio), bounds),
    )


def _to_grid(pixels: float, bounds: tuple[int, int]) -> int:
    least, most = bounds
    return min(max(round(pixels / _STEP) * _STEP, least), most)


def fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at exactly `size`: scaled, and cropped about its centre where the shape differs."""
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)
