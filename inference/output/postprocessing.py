"""Postprocessing of a generated image into a file."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from contract.environment import ContainerEnvironment
from contract.generation import Generation
from contract.safety import SafetyMode, SafetyReport
from inference.output.detector_factory import load_detector
from inference.output.encoding import encode
from inference.output.image_metadata import ImageMetadata, Provenance
from inference.output.safety import FilteredImage, SafetyFilter
from inference.output.watermark import Watermark

_PREVIEW_SIDE = 256
_PREVIEW_QUALITY = 80
_UNFILTERED = (SafetyMode.OFF, SafetyMode.FLAG)
"""The safety modes that deliver every image unchanged."""


@dataclass(frozen=True)
class FinishedImage:
    """An image file and what its result reports.

    Attributes:
        file: the encoded image; None if it is withheld.
        width: pixels.
        height: pixels.
        flags: see `contract.result.ImageResult`.
    """

    file: bytes | None
    width: int
    height: int
    flags: tuple[str, ...]

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file in hexadecimal."""
        return None if self.file is None else hashlib.sha256(self.file).hexdigest()


class Postprocessor:
    """Filters, watermarks and encodes images; thread-safe."""

    def __init__(self, *, safety: SafetyFilter | None = None, watermark: Watermark | None = None) -> None:
        self._safety = safety
        self._watermark = watermark

    @classmethod
    def load(cls, environment: ContainerEnvironment, model_directory: Path) -> "Postprocessor":
        """Creates the postprocessor that the environment configures.

        Args:
            environment: of the container.
            model_directory: the directory of the model, which may contain a safety checker.

        Raises:
            DetectorError: the NSFW detector cannot be loaded.
            WatermarkError: the watermark's text cannot be rendered.
        """
        mode, text = environment.safety_mode, environment.watermark
        safety = None
        if mode is not SafetyMode.OFF:
            safety = SafetyFilter(mode, load_detector(environment.safety_checker, model_directory))
        return cls(safety=safety, watermark=Watermark(text) if text else None)

    @property
    def safety(self) -> SafetyReport:
        """The NSFW filter's report."""
        if self._safety is None:
            return SafetyReport(mode=SafetyMode.OFF, detector=None)
        return self._safety.report

    @property
    def allows_previews(self) -> bool:
        """Whether unfinished images may be shown: not if the NSFW filter might blur or withhold them."""
        return self.safety.mode in _UNFILTERED

    def preview(self, image: Image.Image) -> bytes:
        """An RGB image as a JPEG file with a longer side of 256 pixels, with the watermark."""
        scale = _PREVIEW_SIDE / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        resized = image.resize(size, Image.Resampling.BICUBIC)
        marked = resized if self._watermark is None else self._watermark.apply(resized)
        buffer = io.BytesIO()
        marked.save(buffer, format="JPEG", quality=_PREVIEW_QUALITY)
        return buffer.getvalue()

    def finish(
        self, image: Image.Image, generation: Generation, index: int, provenance: Provenance
    ) -> FinishedImage:
        """Filters, watermarks and encodes one image. Exceptions of the detector are passed on.

        Args:
            image: RGB, as generated.
            generation: the request.
            index: of the image, from 0.
            provenance: for the file's metadata.
        """
        filtered = FilteredImage(image) if self._safety is None else self._safety.apply(image)
        file = None
        if filtered.image is not None:
            marked = filtered.image if self._watermark is None else self._watermark.apply(filtered.image)
            metadata = ImageMetadata.of(generation, index, size=marked.size, provenance=provenance)
            file = encode(marked, generation.output_format, generation.quality, metadata)
        return FinishedImage(file=file, width=image.width, height=image.height, flags=filtered.flags)
