"""What says whether an image is safe for work."""

from typing import Protocol

from PIL import Image


class DetectorError(RuntimeError):
    """A detector cannot be loaded; the message names the setting and the remedy."""


class Detector(Protocol):
    """Judges pictures; any number of threads may ask at once."""

    @property
    def name(self) -> str:
        """What it is and of which version, as results report it."""
        ...

    def is_nsfw(self, picture: Image.Image) -> bool:
        """Whether an RGB picture is not safe for work. An exception means that it was not judged."""
        ...
