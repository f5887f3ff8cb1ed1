"""Creates an engine from a model's files."""

from pathlib import Path
from typing import Any

from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.diffusers_pipeline import DiffusersPipeline
from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.modules.compiled_unet import CompiledUNet
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.interface import CompileCache
from inference.models.loading import load_pipeline, load_refiner


def load_engine(
    path: Path,
    *,
    max_batch_size: int,
    fixed_batch_size: bool = False,
    compile_cache: CompileCache | None = None,
) -> EngineThread:
    """Loads a model, on the GPU if there is one.

    Args:
        path: of a model in any supported format; see `inference.models.formats.open_model`.
        max_batch_size: images in a forward pass at most, a power of two.
        fixed_batch_size: pad every batch to `max_batch_size`, so that images do not depend on the load.
        compile_cache: stores what torch.compile generates; None does not compile.

    Raises:
        UnusableModelError: the model is missing, damaged, incomplete or unsafe.
        UnsupportedModelError: the pipeline is not text-to-image.
    """
    pipeline = load_pipeline(path)
    refiner = None
    if Components.supports(pipeline):
        refiner = load_refiner(path, device=pipeline.device, dtype=pipeline.unet.dtype)
    return create_engine(
        pipeline,
        refiner=refiner,
        max_batch_size=max_batch_size,
        fixed_batch_size=fixed_batch_size,
        compile_cache=compile_cache,
    )


def create_engine(
    pipeline: Any,
    *,
    refiner: Any | None = None,
    max_batch_size: int,
    fixed_batch_size: bool = False,
    compile_cache: CompileCache | None = None,
) -> EngineThread:
    """Creates an engine for loaded pipelines; see `load_engine`."""
    upscaling = UpscalingLoop(pipeline.device)
    if not Components.supports(pipeline):
        return EngineThread(DiffusersPipeline(pipeline), upscaling)
    batcher = Batcher(max_batch_size=max_batch_size, fixed_batch_size=fixed_batch_size)
    components = Components.of(pipeline, None if refiner is None else Refiner.of(refiner))
    compiled = None if compile_cache is None else CompiledUNet(components.unet, compile_cache)
    return EngineThread(DenoisingLoop(components, batcher, denoiser=compiled), upscaling)
