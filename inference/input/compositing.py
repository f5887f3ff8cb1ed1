"""Compositing of the generated image with the kept areas of the input image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference.input.masked_region import Region


@dataclass(frozen=True)
class Compositor:
    """Pastes a generated image onto an original.

    Attributes:
        original: RGB.
        weight: (height, width), 0 to 1: the weight of the generated image, within the region.
        region: the part of the original that the generated image replaces; None: all of it.
    """

    original: Image.Image
    weight: npt.NDArray[np.float32]
    region: Region | None = None

    def composite(self, generated: Image.Image) -> Image.Image:
        """Blends the images; where the weight is 0 or 1, the pixels are those of one of them exactly.

        Args:
            generated: RGB; resized to the region.
        """
        if self.region is None:
            return self._blend(self.original, generated)
        blended = self._blend(
            self.original.crop(self.region),
            generated.resize(self.region.size, Image.Resampling.LANCZOS),
        )
        composited = self.original.copy()
        composited.paste(blended, self.region)
        return composited

    def _blend(self, original: Image.Image, generated: Image.Image) -> Image.Image:
        old, new = (np.asarray(image, dtype=np.float32) for image in (original, generated))
        blended = old + (new - old) * self.weight[:, :, np.newaxis]
        return Image.fromarray(blended.round().astype(np.uint8))


def feather(mask: Image.Image, pixels: int) -> npt.NDArray[np.float32]:
    """The weight of the generated image: 0 outside the mask, 1 well inside it, smooth along its border.

    Args:
        mask: L, black and white.
        pixels: width of the transition, which lies inside the mask. It is a smoothstep, which differs from a
            Gaussian by at most 0.02.

    Returns:
        (height, width), 0 to 1.
    """
    import cv2  # imported only by jobs that need it

    inside = np.asarray(mask) > 0
    if pixels == 0 or inside.all():
        return inside.astype(np.float32)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    step = ((depth - 0.5) / pixels).clip(0, 1)
    return np.asarray(step * step * (3 - 2 * step), dtype=np.float32)
