"""Stable Diffusion's own safety checker, from a directory."""

import hashlib
import threading
from pathlib import Path

import torch
import transformers
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors import SafetensorError
from transformers import CLIPImageProcessorPil

from inference.observability.logs import adopt
from inference.output.detector import DetectorError

_VARIANTS = {"model.safetensors": None, "model.fp16.safetensors": "fp16"}
_HASH_DIGITS = 10


class SafetyChecker:
    """Compares pictures with concepts, each of which has a threshold of its own among the weights."""

    def __init__(self, directory: Path) -> None:
        """Loads a checker, for the processor.

        Args:
            directory: with `safety_checker/` and `feature_extractor/`, as in a model's directory, or with the
                files of both.

        Raises:
            DetectorError: files are missing or damaged.
        """
        adopt("diffusers", "transformers")
        transformers.utils.logging.disable_progress_bar()
        try:
            checker = _existing(directory / "safety_checker", directory)
            weights = _existing(*(checker / name for name in _VARIANTS))
            self._features = CLIPImageProcessorPil.from_pretrained(
                _existing(directory / "feature_extractor", directory), local_files_only=True
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
            raise _unusable(directory)  # it would pass everything
        self.name = f"StableDiffusionSafetyChecker (weights {digest[:_HASH_DIGITS]})"
        self._turn = threading.Lock()

    def is_nsfw(self, picture: Image.Image) -> bool:
        """See `inference.output.detector.Detector.is_nsfw`."""
        pixels = self._features(picture, return_tensors="pt").pixel_values
        with self._turn:  # it computes on several cores: two at once would be slower than one after the other
            _, found = self._checker(clip_input=pixels, images=[torch.zeros(1)])
        return bool(found[0])


def _existing(*paths: Path) -> Path:
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(f"none of {', '.join(map(str, paths))} exists")


def _unusable(directory: Path) -> DetectorError:
    return DetectorError(
        f"SAFETY_CHECKER: {directory} does not hold a whole safety checker in diffusers' layout, with "
        "model.safetensors and preprocessor_config.json; complete it, or name another directory."
    )
