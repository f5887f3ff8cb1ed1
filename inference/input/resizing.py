"""The size to draw a picture at, and how pictures are brought to it."""

import math
from dataclasses import dataclass
from typing import Self

from PIL import Image

from contract.model import ModelDeclaration
from contract.problem import ErrorCode
from contract.size import Size, to_grid
from inference.engine.errors import InputError


def generation_size(source: Size, *, width: int | None, height: int | None, model: ModelDeclaration) -> Size:
    """The size to draw a picture of size `source` at.

    A side that is given is kept. What is not given follows the source's shape: from the other side, or, with
    neither, so that the picture covers about as many pixels as the model's default size, or as many as its
    limits let it.

    Args:
        source: of the input image.
        width: what the request says, or None.
        height: what the request says, or None.
        model: whose sizes they are.

    Raises:
        InputError: the source is too long and narrow for the model's limits.
    """
    ratio = source[0] / source[1]
    if width is None and height is None:
        width, height = _by_area(ratio, model)
    else:
        width, height = width or to_grid((height or 0) * ratio), height or to_grid((width or 0) / ratio)
    least, most = model.limits.min_size, model.limits.max_size
    if not (least <= min(width, height) and max(width, height) <= most):
        detail = (
            f"has {source[0]} x {source[1]} pixels, a shape that does not fit between the {least} and {most} "
            "pixels a side that the model draws; crop it, or give both width and height to have it cropped"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, "#/input_image", detail)
    return width, height


def _by_area(ratio: float, model: ModelDeclaration) -> Size:
    defaults, limits = model.defaults, model.limits
    width = math.sqrt(defaults.width * defaults.height * ratio)
    too_large = max(width, width / ratio) / limits.max_size
    too_small = min(width, width / ratio) / limits.min_size
    width /= too_large if too_large > 1 else min(too_small, 1)
    return to_grid(width), to_grid(width / ratio)


@dataclass(frozen=True)
class Framing:
    """A picture scaled to a size, and cropped about its centre where the shapes differ.

    Pictures of one shape stay registered whatever their sizes are.

    Attributes:
        size: what comes out.
        kept: of the picture, the shares of its width and of its height that are not cropped away, 0 to 1.
    """

    size: Size
    kept: tuple[float, float]

    @classmethod
    def of(cls, source: Size, size: Size) -> Self:
        """The framing of a picture of size `source`."""
        wider = (source[0] * size[1]) / (source[1] * size[0])
        return cls(size, (min(1 / wider, 1.0), min(wider, 1.0)))

    def apply(
        self, image: Image.Image, resampling: Image.Resampling = Image.Resampling.LANCZOS
    ) -> Image.Image:
        """The picture at the size."""
        if image.size == self.size and self.kept == (1.0, 1.0):
            return image
        (width, height), (kept_width, kept_height) = image.size, self.kept
        left, top = width * (1 - kept_width) / 2, height * (1 - kept_height) / 2
        return image.resize(self.size, resampling, box=(left, top, width - left, height - top))
