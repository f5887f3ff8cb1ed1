"""Comparison of a model's default image size with the one that it was trained with."""

from contract.model import ModelDefaults
from operations.doctor.check import CheckResult, warning

_MAX_RATIO = 2
"""Between the pixels of both sizes."""


def size_warning(pipeline: str, trained: int, defaults: ModelDefaults) -> CheckResult | None:
    """A warning if images of the default size would be poor; None otherwise.

    Args:
        pipeline: the name of the pipeline's class.
        trained: width and height in pixels of the images that the model was trained with.
        defaults: the model's.
    """
    ratio = defaults.width * defaults.height / trained**2
    if 1 / _MAX_RATIO <= ratio <= _MAX_RATIO:
        return None
    return warning(
        f"requests without a size get {defaults.width}x{defaults.height}, but {pipeline} was trained with "
        f"{trained}x{trained}, and images of very different sizes are poor",
        f'set "defaults": {{"width": {trained}, "height": {trained}}} for the model in cdk.json',
    )
