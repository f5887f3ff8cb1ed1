"""What is done about images that are not safe for work."""

from typing import NamedTuple

from PIL import Image

from contract.safety import NSFW, SafetyMode, SafetyReport
from inference.output.detector import Detector

_BLURRED_SIDE = 12
"""Pixels of a blurred picture's longer side before it is enlarged again: no filter brings back the rest."""


class Verdict(NamedTuple):
    """What may leave of a picture.

    Attributes:
        picture: what to deliver; None is nothing.
        flags: what its result says of it.
    """

    picture: Image.Image | None
    flags: tuple[str, ...] = ()


class SafetyCheck:
    """Looks at every picture, and does as the mode says with what is not safe for work."""

    def __init__(self, mode: SafetyMode, detector: Detector) -> None:
        self._mode = mode
        self._detector = detector

    @property
    def report(self) -> SafetyReport:
        """What looks."""
        return SafetyReport(mode=self._mode, detector=self._detector.name)

    def judge(self, picture: Image.Image) -> Verdict:
        """What may leave of an RGB picture; whatever the detector raises leaves nothing of the job."""
        if not self._detector.is_nsfw(picture):
            return Verdict(picture)
        match self._mode:
            case SafetyMode.FLAG:
                return Verdict(picture, (NSFW,))
            case SafetyMode.BLUR:
                return Verdict(_blurred(picture), (NSFW,))
            case _:
                return Verdict(None, (NSFW,))


def _blurred(picture: Image.Image) -> Image.Image:
    scale = _BLURRED_SIDE / max(picture.size)
    small = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(small, Image.Resampling.BOX).resize(picture.size, Image.Resampling.BICUBIC)
