"""The interface of NSFW detectors."""

from typing import Protocol

from PIL import Image


class DetectorError(RuntimeError):
    """A detector cannot be loaded; the message names the setting and the remedy."""


class NsfwDetector(Protocol):
    """Classifies images; thread-safe."""

    @property
    def name(self) -> str:
        """Name and version of the detector, for results."""
        ...

    def is_nsfw(self, image: Image.Image) -> bool:
        """Whether an RGB image is not safe for work. If an exception is raised, it was not classified."""
        ...
