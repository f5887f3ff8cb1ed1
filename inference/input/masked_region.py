"""The region of an image that "only masked" inpainting generates."""

from typing import NamedTuple

from PIL import Image

from contract.size import Size

_MAX_RATIO = 2.0
"""Of the sides of a region whose aspect ratio is not given: models are trained on squares, and near them."""


class Region(NamedTuple):
    """A rectangle of an image in pixels; right and bottom are excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def crop(self, image: Image.Image, source: Size) -> Image.Image:
        """The region of an image that shows the same as one of size `source`, at its own resolution."""
        horizontal, vertical = image.width / source[0], image.height / source[1]
        return image.crop(
            (
                round(self.left * horizontal),
                round(self.top * vertical),
                max(round(self.right * horizontal), round(self.left * horizontal) + 1),
                max(round(self.bottom * vertical), round(self.top * vertical) + 1),
            )
        )


def masked_region(mask: Image.Image, *, padding: int, ratio: float | None) -> Region:
    """The bounding box of the mask with padding, widened to an aspect ratio as far as the image allows.

    Args:
        mask: L, black and white, not black everywhere.
        padding: pixels on each side, within the image.
        ratio: width divided by height; None: between 1/2 and 2.
    """
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    left, top = max(left - padding, 0), max(top - padding, 0)
    right, bottom = min(right + padding, mask.width), min(bottom + padding, mask.height)
    width, height = right - left, bottom - top
    if ratio is None:
        ratio = min(max(width / height, 1 / _MAX_RATIO), _MAX_RATIO)
    left, right = _widen(left, right, round(height * ratio), mask.width)
    top, bottom = _widen(top, bottom, round(width / ratio), mask.height)
    return Region(left, top, right, bottom)


def _widen(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """The interval, widened on both sides to the length, and moved into the range from 0 to the limit."""
    length = min(max(length, end - start), limit)
    start = min(max(start - (length - (end - start)) // 2, 0), limit - length)
    return start, start + length
