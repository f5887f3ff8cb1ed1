"""What is kept of a picture, put back onto what was drawn over it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image


@dataclass(frozen=True)
class Kept:
    """A picture, and how much of it stays visible where.

    Attributes:
        picture: RGB.
        share: (height, width), 0 to 1: that of what is drawn.
    """

    picture: Image.Image
    share: npt.NDArray[np.float32]

    def put_back(self, drawn: Image.Image) -> Image.Image:
        """What was drawn, under what is kept.

        Args:
            drawn: RGB, of the picture's size.
        """
        kept, new = (np.asarray(image, dtype=np.float32) for image in (self.picture, drawn))
        blended = kept + (new - kept) * self.share[:, :, np.newaxis]
        return Image.fromarray(blended.round().astype(np.uint8))


def feather(mask: Image.Image, pixels: int) -> npt.NDArray[np.float32]:
    """The share of what is drawn: 0 outside the mask, 1 deep inside, and a soft step along its border.

    Args:
        mask: L, black and white.
        pixels: how far inside the mask the step ends; it is a smoothstep, within 0.02 of a Gaussian's.

    Returns:
        (height, width), 0 to 1.
    """
    import cv2  # only jobs with a mask need it

    inside = np.asarray(mask) > 0
    if pixels == 0 or inside.all():
        return inside.astype(np.float32)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    step = ((depth - 0.5) / pixels).clip(0, 1)
    return np.asarray(step * step * (3 - 2 * step), dtype=np.float32)
