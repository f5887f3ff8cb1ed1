"""Generation size of an input image, and resizing with center crop."""

import math
from dataclasses import dataclass
from typing import Self

from PIL import Image

from contract.model import ModelDeclaration
from contract.problem import ErrorCode
from contract.size import Size, to_grid
from inference.engine.errors import InputError


def generation_size(source: Size, *, width: int | None, height: int | None, model: ModelDeclaration) -> Size:
    """The size to generate at, for an input image of size `source`.

    A given side is used as it is; a missing one follows from the other and the aspect ratio. Without either,
    the area is that of the model's default size, scaled as far as needed to keep the model's limits.

    Args:
        source: of the input image.
        width: of the request.
        height: of the request.
        model: its defaults and limits apply.

    Raises:
        InputError: the aspect ratio cannot be kept within the model's limits.
    """
    ratio = source[0] / source[1]
    if width is None and height is None:
        width, height = _default_area(ratio, model)
    else:
        width, height = width or to_grid((height or 0) * ratio), height or to_grid((width or 0) / ratio)
    least, most = model.limits.min_size, model.limits.max_size
    if not (least <= min(width, height) and max(width, height) <= most):
        detail = (
            f"the image has {source[0]} x {source[1]} pixels; the model's limits of {least} to {most} pixels "
            "per side do not allow this aspect ratio; crop it, or give both width and height to crop it here"
        )
        raise InputError(ErrorCode.INVALID_INPUT_IMAGE, "#/input_image", detail)
    return width, height


def _default_area(ratio: float, model: ModelDeclaration) -> Size:
    defaults, limits = model.defaults, model.limits
    width = math.sqrt(defaults.width * defaults.height * ratio)
    too_large = max(width, width / ratio) / limits.max_size
    too_small = min(width, width / ratio) / limits.min_size
    width /= too_large if too_large > 1 else min(too_small, 1)
    return to_grid(width), to_grid(width / ratio)


def limit_size(image: Image.Image, most: int) -> Image.Image:
    """The image, reduced until no side has more pixels than `most`."""
    if max(image.size) <= most:
        return image
    scale = most / max(image.size)
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    return image.resize(size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class CropResize:
    """Center crop to the aspect ratio of a size, and resizing to that size.

    It is defined by fractions of the image: an image and its mask stay aligned, whatever their resolutions.

    Attributes:
        size: the resulting size.
        crop: the fractions of width and height that are kept, 0 to 1.
    """

    size: Size
    crop: tuple[float, float]

    @classmethod
    def between(cls, source: Size, size: Size) -> Self:
        """The transformation of an image of size `source` to `size`."""
        wider = (source[0] * size[1]) / (source[1] * size[0])
        return cls(size, (min(1 / wider, 1.0), min(wider, 1.0)))

    def apply(
        self, image: Image.Image, resampling: Image.Resampling = Image.Resampling.LANCZOS
    ) -> Image.Image:
        """The cropped and resized image; the image itself if it needs neither."""
        if image.size == self.size and self.crop == (1.0, 1.0):
            return image
        (width, height), (kept_width, kept_height) = image.size, self.crop
        left, top = width * (1 - kept_width) / 2, height * (1 - kept_height) / 2
        return image.resize(self.size, resampling, box=(left, top, width - left, height - top))
