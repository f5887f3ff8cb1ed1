"""Models from their files, ready to draw."""

from pathlib import Path
from typing import Any

from inference.diffusion.denoising.batcher import Turns
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.diffusers_pipeline import StockPipeline
from inference.diffusion.engine_thread import DeviceThread
from inference.diffusion.modules.compiled_unet import Compilation
from inference.diffusion.upscaling.upscaling_loop import Enlarging
from inference.engine.interface import CompiledCode
from inference.models.loading import load_pipeline, load_refiner


def load_engine(
    directory: Path, *, max_bucket: int, strict_bucket: bool = False, code: CompiledCode | None = None
) -> DeviceThread:
    """An engine for the model at a path, on the GPU if there is one.

    Args:
        directory: a model in any of its forms; see `inference.models.formats.open_model`.
        max_bucket: the most images that share a forward, a power of two.
        strict_bucket: always draw in buckets of this size, so that images do not depend on the load.
        code: where compiled code is kept; None compiles nothing.

    Raises:
        UnusableModelError: there is no model, or it is damaged, dangerous or incomplete.
        UnsupportedModelError: the directory holds a pipeline that does not draw from a prompt.
    """
    pipeline = load_pipeline(directory)
    refiner = None
    if Components.fits(pipeline):
        refiner = load_refiner(directory, device=pipeline.device, dtype=pipeline.unet.dtype)
    return engine_of(pipeline, refiner=refiner, max_bucket=max_bucket, strict_bucket=strict_bucket, code=code)


def engine_of(
    pipeline: Any,
    *,
    refiner: Any | None = None,
    max_bucket: int,
    strict_bucket: bool = False,
    code: CompiledCode | None = None,
) -> DeviceThread:
    """An engine that takes over loaded pipelines; see `load_engine`."""
    enlarging = Enlarging(pipeline.device)
    if not Components.fits(pipeline):
        return DeviceThread(StockPipeline(pipeline), enlarging)
    turns = Turns(max_bucket=max_bucket, strict=strict_bucket)
    components = Components.of(pipeline, None if refiner is None else Refiner.of(refiner))
    denoise = None if code is None else Compilation(components.unet, code)
    return DeviceThread(DenoisingLoop(components, turns, denoise=denoise), enlarging)
