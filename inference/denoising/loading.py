"""Engines around models."""

from pathlib import Path
from typing import Any

from inference.denoising.components import Components
from inference.denoising.device import DeviceThread
from inference.denoising.loop import DenoisingLoop
from inference.denoising.stock import StockPipeline
from inference.denoising.turns import Turns
from inference.models.loading import load_pipeline


def load_engine(directory: Path, *, max_bucket: int, strict_bucket: bool = False) -> DeviceThread:
    """An engine for the model at a path, on the GPU if there is one.

    Args:
        directory: a model in any of its forms; see `inference.models.opening.open_model`.
        max_bucket: the most images that share a forward, a power of two.
        strict_bucket: always draw in buckets of this size, so that images do not depend on the load.

    Raises:
        UnusableModelError: there is no model, or it is damaged, dangerous or incomplete.
        UnsupportedModelError: the directory holds a pipeline that does not draw from a prompt.
    """
    return engine_of(load_pipeline(directory), max_bucket=max_bucket, strict_bucket=strict_bucket)


def engine_of(pipeline: Any, *, max_bucket: int, strict_bucket: bool = False) -> DeviceThread:
    """An engine that takes over a loaded pipeline; see `load_engine`."""
    if not Components.fits(pipeline):
        return DeviceThread(StockPipeline(pipeline))
    turns = Turns(max_bucket=max_bucket, strict=strict_bucket)
    return DeviceThread(DenoisingLoop(Components.of(pipeline), turns))
