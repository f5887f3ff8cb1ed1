"""Selection and loading of the NSFW detector."""

from pathlib import Path

from inference.output.detector import NsfwDetector


def load_detector(safety_checker: str | None, model_directory: Path) -> NsfwDetector:
    """Loads the configured safety checker, else the model's own, else open_nsfw.

    Args:
        safety_checker: a directory with a safety checker in the diffusers layout, or None.
        model_directory: the directory of the model.

    Raises:
        DetectorError: the selected detector cannot be loaded; there is no fallback to another one.
    """
    directory = model_directory if safety_checker is None else Path(safety_checker)
    if safety_checker is None and not (directory / "safety_checker").is_dir():
        from inference.output.open_nsfw import OpenNsfw  # imports onnxruntime

        return OpenNsfw()
    from inference.output.safety_checker import SafetyChecker  # imports torch

    return SafetyChecker(directory)
