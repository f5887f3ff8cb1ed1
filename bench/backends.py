"""The backends that are compared: ways to serve requests for one image each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import diffusers
import torch
from diffusers import DiffusionPipeline

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.diffusion.loader import load_engine
from inference.diffusion.modules.torch_threads import spare_a_core
from inference.engine.interface import Callbacks, Inputs

_AUTOCAST_DTYPES = {"cpu": torch.bfloat16, "cuda": torch.float16}


class Backend(Protocol):
    """Serves requests; called from several threads at once."""

    def generate(self, generation: Generation) -> None:
        """Generates one image, and returns when it is done."""
        ...

    def close(self) -> None:
        """Releases the model."""
        ...


class Engine:
    """This project's engine, with continuous batching."""

    def __init__(self, model: Path, *, max_batch_size: int) -> None:
        self._engine = load_engine(model, max_batch_size=max_batch_size)

    def generate(self, generation: Generation) -> None:
        """See `Backend.generate`."""
        self._engine.submit(generation, Inputs(), Callbacks()).result()

    def close(self) -> None:
        """See `Backend.close`."""
        self._engine.close()


class Sequential:
    """A diffusers pipeline that runs one request at a time."""

    def __init__(self, load_pipeline: Callable[[], Any], *, autocast: bool = False) -> None:
        """Loads the pipeline; `autocast` runs it in mixed precision."""
        self._load_pipeline = load_pipeline
        self._pipeline = load_pipeline()
        self._autocast = autocast
        self._thread = ThreadPoolExecutor(1, initializer=spare_a_core)

    def generate(self, generation: Generation) -> None:
        """See `Backend.generate`."""
        self._thread.submit(self._run, generation).result()

    def close(self) -> None:
        """See `Backend.close`."""
        self._thread.shutdown()
        del self._pipeline

    def _run(self, generation: Generation) -> None:
        pipeline = self._current_pipeline()
        device = pipeline.device.type
        sampler = find_sampler(generation.sampler)
        scheduler = getattr(diffusers, sampler.scheduler)
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **sampler.options)
        with torch.autocast(device, enabled=self._autocast, dtype=_AUTOCAST_DTYPES[device]):
            pipeline(
                generation.prompt,
                width=generation.width,
                height=generation.height,
                num_inference_steps=generation.steps,
                guidance_scale=generation.guidance_scale,
                generator=torch.Generator("cpu").manual_seed(generation.seeds[0]),
            )

    def _current_pipeline(self) -> Any:
        return self._pipeline


class Reloading(Sequential):
    """Loads the pipeline again for every request."""

    def _current_pipeline(self) -> Any:
        return self._load_pipeline()


def load_default(model: Path) -> Any:
    """The pipeline as in diffusers' documentation: half precision on a GPU, scaled dot-product attention."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return _load(model, torch.float16 if device == "cuda" else torch.float32).to(device)


def load_compiled(model: Path) -> Any:
    """The default pipeline with a compiled UNet, which is compiled by its first image."""
    pipeline = load_default(model)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.unet = torch.compile(pipeline.unet)
    return pipeline


def load_like_notebooks(model: Path) -> Any:
    """The pipeline as in this project's predecessors, notebooks: float32 with attention slicing."""
    pipeline = _load(model, torch.float32).to("cuda" if torch.cuda.is_available() else "cpu")
    pipeline.enable_attention_slicing()
    return pipeline


def _load(model: Path, dtype: torch.dtype) -> Any:
    pipeline = DiffusionPipeline.from_pretrained(model, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def backends(model: Path, *, max_batch_size: int) -> dict[str, Callable[[], Backend]]:
    """A factory for each backend, by its name in the tables."""
    return {
        "this engine": lambda: Engine(model, max_batch_size=max_batch_size),
        "diffusers": lambda: Sequential(lambda: load_default(model)),
        "diffusers, compiled": lambda: Sequential(lambda: load_compiled(model)),
        "notebooks": lambda: Sequential(lambda: load_like_notebooks(model), autocast=True),
        "notebooks, reloading": lambda: Reloading(lambda: load_like_notebooks(model), autocast=True),
    }
