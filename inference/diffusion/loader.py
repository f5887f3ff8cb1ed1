"""Creates an engine from a model's files."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.environment import Quantization
from contract.model import ModelDeclaration
from inference.diffusion.compilation.compiled_unet import compiled_unet
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.diffusers_pipeline import DiffusersPipeline, UnsupportedModelError
from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.modules.cuda_graphs import CudaGraphs, GraphRecorder
from inference.diffusion.modules.float8_linear import use_float8
from inference.diffusion.modules.graphed_unet import GraphedUNet
from inference.diffusion.modules.kernel_selection import CudaTiming, KernelSelector
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.diffusion.warm_up import warm_up
from inference.engine.interface import CompileCache
from inference.models.loading import load_pipeline, load_refiner

_KERNELS = KernelSelector(CudaTiming())
"""Of the process: attention kernels are preferred by all models at once."""


def load_engine(
    path: Path,
    *,
    max_batch_size: int,
    fixed_batch_size: bool = False,
    compile_cache: CompileCache | None = None,
    cuda_graphs: bool = True,
    quantization: Quantization | None = None,
    merge_loras: bool = False,
    warm_up_for: ModelDeclaration | None = None,
) -> EngineThread:
    """Loads a model, on the GPU if there is one.

    Args:
        path: of a model in any supported format; see `inference.models.formats.open_model`.
        max_batch_size: images in a forward pass at most, a power of two.
        fixed_batch_size: pad every batch to `max_batch_size`, so that images do not depend on the load.
        compile_cache: stores compiled code; None does not compile.
        cuda_graphs: on a GPU, launch the kernels of a UNet forward pass together.
        quantization: number format of the UNet's linear layers, which `check_device` has checked; None: the
            model's.
        merge_loras: merge plain LoRAs into the UNet's weights; see `AdapterLoader`.
        warm_up_for: on a GPU, selects the fastest kernels for the default size of this model, unless
            `fixed_batch_size` promises equal images in every container, and warms the engine up. None does
            neither; the GPU's other models must not be running.

    Raises:
        UnusableModelError: the model is missing, damaged, incomplete or unsafe.
        UnsupportedModelError: the pipeline is not text-to-image, or cannot be quantized.
    """
    pipeline = load_pipeline(path)
    refiner = None
    if Components.supports(pipeline):
        refiner = load_refiner(path, device=pipeline.device, dtype=pipeline.unet.dtype)
    on_gpu = pipeline.device.type == "cuda"
    kernels: dict[str, str] = {}
    if quantization is not None:
        _quantize(pipeline, refiner)
        kernels["quantization"] = quantization
    if on_gpu and Components.supports(pipeline):
        if warm_up_for is not None and not fixed_batch_size:
            _select_kernels(pipeline, warm_up_for, max_batch_size)
        kernels |= _KERNELS.apply(pipeline.unet).describe()
    engine = create_engine(
        pipeline,
        refiner=refiner,
        max_batch_size=max_batch_size,
        fixed_batch_size=fixed_batch_size,
        compile_cache=compile_cache,
        cuda_graphs=cuda_graphs,
        merge_loras=merge_loras,
        kernels=kernels,
    )
    if on_gpu and warm_up_for is not None:
        select_convolutions = not fixed_batch_size
        warm_up(engine, warm_up_for, max_batch_size=max_batch_size, select_convolutions=select_convolutions)
    return engine


def _quantize(pipeline: Any, refiner: Any | None) -> None:
    if not Components.supports(pipeline):
        raise UnsupportedModelError(
            f"quantization is for Stable Diffusion, and not for a {type(pipeline).__name__}; leave it out"
        )
    for each in (pipeline, refiner):
        if each is not None:
            use_float8(each.unet)


def _select_kernels(pipeline: Any, model: ModelDeclaration, max_batch_size: int) -> None:
    width, height = (
        each // pipeline.vae_scale_factor for each in (model.defaults.width, model.defaults.height)
    )
    _KERNELS.select(pipeline.unet, width=width, height=height, max_batch_size=max_batch_size)


def create_engine(
    pipeline: Any,
    *,
    refiner: Any | None = None,
    max_batch_size: int,
    fixed_batch_size: bool = False,
    compile_cache: CompileCache | None = None,
    cuda_graphs: bool = True,
    merge_loras: bool = False,
    kernels: Mapping[str, str] | None = None,
) -> EngineThread:
    """Creates an engine for loaded pipelines; see `load_engine` and `EngineThread`."""
    upscaling = UpscalingLoop(pipeline.device)
    if not Components.supports(pipeline):
        return EngineThread(DiffusersPipeline(pipeline), upscaling, kernels=kernels)
    batcher = Batcher(max_batch_size=max_batch_size, fixed_batch_size=fixed_batch_size)
    components = Components.of(
        pipeline,
        None if refiner is None else Refiner.of(refiner),
        mix_loras=not fixed_batch_size,
        merge_loras=merge_loras,
    )
    graphs = CudaGraphs(pipeline.device) if cuda_graphs and pipeline.device.type == "cuda" else None
    loop = create_loop(components, batcher, compile_cache=compile_cache, graphs=graphs)
    return EngineThread(loop, upscaling, kernels=kernels)


def create_loop(
    components: Components,
    batcher: Batcher,
    *,
    compile_cache: CompileCache | None = None,
    graphs: GraphRecorder | None = None,
) -> DenoisingLoop:
    """Creates a denoising loop.

    Args:
        components: the loaded model.
        batcher: selects the slots of each step.
        compile_cache: see `load_engine`.
        graphs: records the UNet's and the refiner's forward passes; None runs them one kernel at a time.
    """
    unet, adapters, refiner = components.unet, components.adapters, components.refiner
    compiled = None
    if compile_cache is not None:
        compiled = compiled_unet(unet, compile_cache, unet_state=lambda: adapters.unet_state)
    if graphs is None:
        return DenoisingLoop(components, batcher, denoiser=compiled)
    graphed = GraphedUNet(
        compiled or unet,
        graphs,
        state=lambda: adapters.unet_state,
        code=compiled.code if compiled else _one_code,
    )
    if refiner is None:
        return DenoisingLoop(components, batcher, denoiser=graphed, release_memory=graphed.release_memory)
    refining = GraphedUNet(refiner.unet, graphs)
    return DenoisingLoop(
        replace(components, refiner=replace(refiner, unet=refining)),
        batcher,
        denoiser=graphed,
        release_memory=lambda: graphed.release_memory() | refining.release_memory(),
    )


def _one_code(*_arguments: Any, **_options: Any) -> Hashable:
    """Of a UNet that always runs the same code for the same arguments."""
    return None
