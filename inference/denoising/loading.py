"""Models from their directories, ready to draw."""

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline

from inference.denoising.compilation import Compilation
from inference.denoising.components import Components
from inference.denoising.device import DeviceThread
from inference.denoising.enlarging.work import Enlarging
from inference.denoising.loop import DenoisingLoop
from inference.denoising.stock import StockPipeline
from inference.denoising.turns import Turns
from inference.engine import CompiledCode
from inference.logs import adopt


def load_engine(
    directory: Path, *, max_bucket: int, strict_bucket: bool = False, code: CompiledCode | None = None
) -> DeviceThread:
    """An engine for the model in a diffusers directory, on the GPU if there is one.

    Of a component that has fp16 weights, these are loaded.

    Args:
        directory: in the diffusers layout, with safetensors weights.
        max_bucket: the most images that share a forward, a power of two.
        strict_bucket: always draw in buckets of this size, so that images do not depend on the load.
        code: where compiled code is kept; None compiles nothing.

    Raises:
        OSError: files are missing or damaged.
        UnsupportedModelError: the directory holds a pipeline that does not draw from a prompt.
    """
    return engine_of(_load(directory), max_bucket=max_bucket, strict_bucket=strict_bucket, code=code)


def engine_of(
    pipeline: Any, *, max_bucket: int, strict_bucket: bool = False, code: CompiledCode | None = None
) -> DeviceThread:
    """An engine that takes over a loaded pipeline; see `load_engine`."""
    enlarging = Enlarging(pipeline.device)
    if not Components.fits(pipeline):
        return DeviceThread(StockPipeline(pipeline), enlarging)
    turns = Turns(max_bucket=max_bucket, strict=strict_bucket)
    components = Components.of(pipeline)
    denoise = None if code is None else Compilation(components.unet, code)
    return DeviceThread(DenoisingLoop(components, turns, denoise=denoise), enlarging)


def _load(directory: Path) -> Any:
    _quieten_libraries()
    device, dtype = _placement()
    pipeline = DiffusionPipeline.from_pretrained(
        directory,
        dtype=dtype,
        variant="fp16" if any(directory.glob("*/*.fp16*.safetensors")) else None,
        local_files_only=True,
        use_safetensors=True,
        **_without_checker(directory),
    )
    if Components.fits(pipeline):
        _arrange(pipeline, device)
    return pipeline.to(device)


def _without_checker(directory: Path) -> dict[str, Any]:
    """Leaves out the safety checker, which would look at pictures on the device: `inference.output` does it.

    Its feature extractor may even be of a class that transformers no longer has.
    """
    parts = ("safety_checker", "feature_extractor")
    absent = {name: None for name in parts if (directory / name).is_dir()}
    return {**absent, "requires_safety_checker": False} if absent else {}


def _arrange(pipeline: Any, device: torch.device) -> None:
    """Puts weights into the layout and precision in which they draw best."""
    if device.type == "cuda":
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
    is_large = pipeline.unet.config.addition_embed_type == "text_time"
    if is_large and pipeline.vae.dtype == torch.float16 and pipeline.vae.config.force_upcast:
        pipeline.vae.to(torch.float32)  # its numbers are too large for half precision


def _quieten_libraries() -> None:
    adopt("diffusers", "transformers")
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()


def _placement() -> tuple[torch.device, torch.dtype]:
    if not torch.cuda.is_available():
        return torch.device("cpu"), torch.float32
    native_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.device("cuda"), torch.bfloat16 if native_bfloat16 else torch.float16
