"""Which detector looks at images."""

from pathlib import Path

from inference.output.detector import Detector


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
