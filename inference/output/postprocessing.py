"""From a drawn picture to the file that is kept of it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.safety import SafetyMode, SafetyReport
from inference.output.detector_factory import load_detector
from inference.output.encoding import encode
from inference.output.provenance import MadeWith, Provenance
from inference.output.safety import SafetyCheck, Verdict
from inference.output.watermark import Watermark


@dataclass(frozen=True)
class FinishedImage:
    """An image as it leaves.

    Attributes:
        file: its bytes; None where it is withheld.
        width: pixels.
        height: pixels.
        flags: what its result says of it.
    """

    file: bytes | None
    width: int
    height: int
    flags: tuple[str, ...]

    @property
    def sha256(self) -> str | None:
        """Of the file, in hexadecimal."""
        return None if self.file is None else hashlib.sha256(self.file).hexdigest()


class Postprocessor:
    """Looks at pictures, marks them and makes files of them; any number of threads may ask at once."""

    def __init__(self, *, safety: SafetyCheck | None = None, watermark: Watermark | None = None) -> None:
        """Takes what it works with.

        Args:
            safety: looks at every picture; None looks at none.
            watermark: what is written on every picture.
        """
        self._safety = safety
        self._watermark = watermark

    @classmethod
    def load(cls, environment: ContainerEnvironment, model_directory: Path) -> "Postprocessor":
        """What the environment asks for.

        Args:
            environment: what the container is told.
            model_directory: where the model's files are; its own safety checker may be among them.

        Raises:
            DetectorError: images are to be looked at, and the detector cannot be loaded.
            WatermarkError: the watermark cannot be drawn.
        """
        mode, text = environment.safety_mode, environment.watermark
        safety = None
        if mode is not SafetyMode.OFF:
            safety = SafetyCheck(mode, load_detector(environment.safety_checker, model_directory))
        return cls(safety=safety, watermark=Watermark(text) if text else None)

    @property
    def safety(self) -> SafetyReport:
        """What looks at the images."""
        if self._safety is None:
            return SafetyReport(mode=SafetyMode.OFF, detector=None)
        return self._safety.report

    def finish(
        self, picture: Image.Image, generation: Generation, index: int, made_with: MadeWith
    ) -> FinishedImage:
        """The file of one image; takes long.

        Raises whatever keeps the detector from judging the picture: the job must fail then.

        Args:
            picture: RGB, as drawn.
            generation: what it is an image of.
            index: which of its images, from 0.
            made_with: what has drawn it.
        """
        verdict = Verdict(picture) if self._safety is None else self._safety.judge(picture)
        file = None
        if verdict.picture is not None:
            marked = verdict.picture if self._watermark is None else self._watermark.mark(verdict.picture)
            provenance = Provenance.of(generation, index, size=marked.size, made_with=made_with)
            file = encode(marked, generation.output_format, generation.quality, provenance)
        return FinishedImage(file=file, width=picture.width, height=picture.height, flags=verdict.flags)
