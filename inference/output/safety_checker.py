"""Stable Diffusion's safety checker."""

import hashlib
import threading
from pathlib import Path

import torch
import transformers
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors import SafetensorError
from transformers import CLIPImageProcessorPil

from inference.observability.logs import propagate_errors_only
from inference.output.detector import DetectorError

_VARIANTS = {"model.safetensors": None, "model.fp16.safetensors": "fp16"}
_HASH_DIGITS = 10


class SafetyChecker:
    """Compares an image's CLIP embedding with those of unsafe concepts, each with a threshold."""

    def __init__(self, directory: Path) -> None:
        """Loads a safety checker, on the CPU.

        Args:
            directory: contains `safety_checker/` and `feature_extractor/`, like a model's directory, or the
                files of both.

        Raises:
            DetectorError: files are missing or damaged.
        """
        propagate_errors_only("diffusers", "transformers")
        transformers.utils.logging.disable_progress_bar()
        try:
            checker = _first_existing(directory / "safety_checker", directory)
            weights = _first_existing(*(checker / name for name in _VARIANTS))
            self._features = CLIPImageProcessorPil.from_pretrained(
                _first_existing(directory / "feature_extractor", directory), local_files_only=True
            )
            self._checker, report = StableDiffusionSafetyChecker.from_pretrained(
                checker,
                variant=_VARIANTS[weights.name],
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
            with weights.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise _unusable(directory) from error
        if report["missing_keys"] or not all(t.isfinite().all() for t in self._checker.state_dict().values()):
            raise _unusable(directory)  # it would flag nothing
        self.name = f"StableDiffusionSafetyChecker (weights {digest[:_HASH_DIGITS]})"
        self._lock = threading.Lock()

    def is_nsfw(self, image: Image.Image) -> bool:
        """See `inference.output.detector.NsfwDetector.is_nsfw`."""
        pixels = self._features(image, return_tensors="pt").pixel_values
        with self._lock:  # the model uses several cores; two concurrent runs would slow each other down
            _, has_nsfw_concepts = self._checker(clip_input=pixels, images=[torch.zeros(1)])
        return bool(has_nsfw_concepts[0])


def _first_existing(*paths: Path) -> Path:
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(f"none of {', '.join(map(str, paths))} exists")


def _unusable(directory: Path) -> DetectorError:
    return DetectorError(
        f"SAFETY_CHECKER: {directory} does not contain a complete safety checker in the diffusers layout, "
        "with model.safetensors and preprocessor_config.json; complete it, or set another directory."
    )
