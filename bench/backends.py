"""What is compared: ways to serve requests that draw one image each."""

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
from inference.engine.interface import Inputs


class Arm(Protocol):
    """A way to serve requests; several threads call it at once."""

    def draw(self, generation: Generation) -> None:
        """Draws the generation's image and returns when it is there."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class Engine:
    """This project's engine: requests share forwards."""

    def __init__(self, model: Path, *, max_batch_size: int) -> None:
        self._engine = load_engine(model, max_batch_size=max_batch_size)

    def draw(self, generation: Generation) -> None:
        """See `Arm.draw`."""
        self._engine.submit(generation, Inputs(), lambda _done, _total: None).result()

    def close(self) -> None:
        """See `Arm.close`."""
        self._engine.close()


class Serial:
    """One pipeline of diffusers, one request at a time."""

    def __init__(self, open_pipeline: Callable[[], Any], *, autocast: bool = False) -> None:
        """Takes what loads the pipeline, and whether it runs under autocast."""
        self._open = open_pipeline
        self._pipeline = open_pipeline()
        self._autocast = autocast
        self._thread = ThreadPoolExecutor(1, initializer=spare_a_core)

    def draw(self, generation: Generation) -> None:
        """See `Arm.draw`."""
        self._thread.submit(self._draw, generation).result()

    def close(self) -> None:
        """See `Arm.close`."""
        self._thread.shutdown()
        del self._pipeline

    def _draw(self, generation: Generation) -> None:
        pipeline = self._ready()
        device = pipeline.device.type
        sampler = find_sampler(generation.sampler)
        scheduler = getattr(diffusers, sampler.scheduler)
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **sampler.options)
        with torch.autocast(device, enabled=self._autocast, dtype=_HALF[device]):
            pipeline(
                generation.prompt,
                width=generation.width,
                height=generation.height,
                num_inference_steps=generation.steps,
                guidance_scale=generation.guidance_scale,
                generator=torch.Generator("cpu").manual_seed(generation.seeds[0]),
            )

    def _ready(self) -> Any:
        return self._pipeline


class Reloading(Serial):
    """The same, with the pipeline loaded anew for every request."""

    def _ready(self) -> Any:
        return self._open()


_HALF = {"cpu": torch.bfloat16, "cuda": torch.float16}


def open_plainly(model: Path) -> Any:
    """The way of diffusers' documentation: half precision on a GPU, PyTorch's own attention."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return _open(model, torch.float16 if device == "cuda" else torch.float32).to(device)


def open_compiled(model: Path) -> Any:
    """The same with a compiled UNet; the first image takes as long as compiling does."""
    pipeline = open_plainly(model)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.unet = torch.compile(pipeline.unet)
    return pipeline


def open_as_the_notebooks(model: Path) -> Any:
    """The way of the notebooks that this project succeeds: full precision, attention in slices."""
    pipeline = _open(model, torch.float32).to("cuda" if torch.cuda.is_available() else "cpu")
    pipeline.enable_attention_slicing()
    return pipeline


def _open(model: Path, dtype: torch.dtype) -> Any:
    pipeline = DiffusionPipeline.from_pretrained(model, dtype=dtype, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def arms(model: Path, *, max_batch_size: int) -> dict[str, Callable[[], Arm]]:
    """Everything that is compared, by what the table calls it."""
    return {
        "this engine": lambda: Engine(model, max_batch_size=max_batch_size),
        "diffusers, one by one": lambda: Serial(lambda: open_plainly(model)),
        "diffusers, compiled": lambda: Serial(lambda: open_compiled(model)),
        "as the notebooks": lambda: Serial(lambda: open_as_the_notebooks(model), autocast=True),
        "as the notebooks, reloading": lambda: Reloading(lambda: open_as_the_notebooks(model), autocast=True),
    }
