"""Who says whether an image is safe for work."""

from pathlib import Path
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


def load_detector(chosen: str | None, model_directory: Path) -> Detector:
    """The safety checker in the directory that is chosen, else the model's own, else Yahoo's open_nsfw.

    Args:
        chosen: a directory with a safety checker in diffusers' layout, or None.
        model_directory: where the model's files are.

    Raises:
        DetectorError: the detector cannot be loaded; another one does not step in.
    """
    directory = Path(chosen) if chosen is not None else model_directory
    if chosen is None and not (directory / "safety_checker").is_dir():
        from inference.output.open_nsfw import OpenNsfw  # needs a runtime of its own

        return OpenNsfw()
    from inference.output.safety_checker import SafetyChecker  # needs torch

    return SafetyChecker(directory)
