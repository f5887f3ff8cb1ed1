"""The NSFW filter."""

from typing import NamedTuple

from PIL import Image

from contract.safety import NSFW, SafetyMode, SafetyReport
from inference.output.detector import NsfwDetector

_BLURRED_SIDE = 12
"""Pixels of the longer side to which an image is reduced for blurring; this cannot be undone."""


class FilteredImage(NamedTuple):
    """The filter's result for an image.

    Attributes:
        image: the image to deliver; None if it is withheld.
        flags: for the image's result.
    """

    image: Image.Image | None
    flags: tuple[str, ...] = ()


class SafetyFilter:
    """Runs the detector on images, and applies the safety mode to those it flags."""

    def __init__(self, mode: SafetyMode, detector: NsfwDetector) -> None:
        self._mode = mode
        self._detector = detector

    @property
    def report(self) -> SafetyReport:
        """The mode and the detector."""
        return SafetyReport(mode=self._mode, detector=self._detector.name)

    def apply(self, image: Image.Image) -> FilteredImage:
        """Filters an RGB image. Exceptions of the detector are passed on: the job fails."""
        if not self._detector.is_nsfw(image):
            return FilteredImage(image)
        match self._mode:
            case SafetyMode.FLAG:
                return FilteredImage(image, (NSFW,))
            case SafetyMode.BLUR:
                return FilteredImage(_blur(image), (NSFW,))
            case _:
                return FilteredImage(None, (NSFW,))


def _blur(image: Image.Image) -> Image.Image:
    scale = _BLURRED_SIDE / max(image.size)
    small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BICUBIC)
