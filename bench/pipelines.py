"""diffusers' pipelines as backends."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline

from contract.generation import Generation
from contract.samplers import find_sampler
from inference.diffusion.modules.torch_threads import spare_a_core

_AUTOCAST_DTYPES = {"cpu": torch.bfloat16, "cuda": torch.float16}
_LORAS = Path(__file__).parents[1] / "inference" / "demo_loras"
_WINDOW_S = 0.02
"""Within it, requests that arrive together join the same call."""


class Sequential:
    """A diffusers pipeline that runs one request at a time."""

    def __init__(self, load_pipeline: Callable[[], Any], *, autocast: bool = False) -> None:
        """Loads the pipeline; `autocast` runs it in mixed precision."""
        self._load_pipeline = load_pipeline
        self._pipeline = load_pipeline()
        self._autocast = autocast
        self._thread = ThreadPoolExecutor(1, initializer=spare_a_core)

    def generate(self, generation: Generation) -> None:
        """See `bench.backends.Backend.generate`."""
        self._thread.submit(self._run, generation).result()

    def close(self) -> None:
        """See `bench.backends.Backend.close`."""
        self._thread.shutdown()
        del self._pipeline

    def _run(self, generation: Generation) -> None:
        pipeline = self._current_pipeline()
        device = pipeline.device.type
        with torch.autocast(device, enabled=self._autocast, dtype=_AUTOCAST_DTYPES[device]):
            _call(pipeline, [generation])

    def _current_pipeline(self) -> Any:
        return self._pipeline


class Reloading(Sequential):
    """Loads the pipeline again for every request."""

    def _current_pipeline(self) -> Any:
        return self._load_pipeline()


class Batched:
    """A diffusers pipeline that runs all waiting requests with the same settings in one call."""

    def __init__(self, load_pipeline: Callable[[], Any], *, max_batch_size: int) -> None:
        """Loads the pipeline.

        Args:
            load_pipeline: loads it.
            max_batch_size: requests in a call at most.
        """
        self._pipeline = load_pipeline()
        self._max_batch_size = max_batch_size
        self._waiting: list[tuple[Generation, Future[None]]] = []
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def generate(self, generation: Generation) -> None:
        """See `bench.backends.Backend.generate`."""
        future: Future[None] = Future()
        with self._changed:
            self._waiting.append((generation, future))
            self._changed.notify()
        future.result()

    def close(self) -> None:
        """See `bench.backends.Backend.close`."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        del self._pipeline

    def _serve(self) -> None:
        spare_a_core()
        while requests := self._next():
            error = None
            try:
                _call(self._pipeline, [generation for generation, _ in requests])
            except Exception as raised:  # noqa: BLE001 - the clients raise it
                error = raised
            for _, future in requests:
                future.set_result(None) if error is None else future.set_exception(error)

    def _next(self) -> list[tuple[Generation, Future[None]]]:
        """The requests of the next call; none when the backend is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            deadline = time.monotonic() + _WINDOW_S
            while len(self._same()) < self._max_batch_size and not self._closed:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            chosen = self._same()[: self._max_batch_size]
            self._waiting = [each for each in self._waiting if each not in chosen]
            return chosen

    def _same(self) -> list[tuple[Generation, Future[None]]]:
        """The waiting requests with the settings of the oldest."""
        return [each for each in self._waiting if _settings(each[0]) == _settings(self._waiting[0][0])]


def _settings(generation: Generation) -> tuple[Any, ...]:
    """The arguments of a pipeline that are the same for all images of a call."""
    return (
        generation.width,
        generation.height,
        generation.steps,
        generation.guidance_scale,
        generation.sampler,
        _loras(generation),
    )


def _loras(generation: Generation) -> tuple[tuple[str, float], ...]:
    return tuple((each.name, each.weight) for each in generation.active_loras)


def _call(pipeline: Any, generations: Sequence[Generation]) -> None:
    """Generates an image for each of these requests, which have the same settings."""
    first = generations[0]
    sampler = find_sampler(first.sampler)
    scheduler = getattr(diffusers, sampler.scheduler)
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **sampler.options)
    _activate(pipeline, _loras(first))
    pipeline(
        [each.prompt for each in generations],
        width=first.width,
        height=first.height,
        num_inference_steps=first.steps,
        guidance_scale=first.guidance_scale,
        generator=[torch.Generator("cpu").manual_seed(each.seeds[0]) for each in generations],
    )


def _activate(pipeline: Any, loras: Sequence[tuple[str, float]]) -> None:
    """Loads LoRAs at their first use, and switches between them as diffusers' documentation describes."""
    if not loras:
        with suppress(ValueError):  # none has been loaded
            pipeline.disable_lora()
        return
    loaded = {name for names in pipeline.get_list_adapters().values() for name in names}
    for name, _ in loras:
        if name not in loaded:
            pipeline.load_lora_weights(_LORAS / f"{name}.safetensors", adapter_name=name)
    pipeline.enable_lora()
    pipeline.set_adapters([name for name, _ in loras], [weight for _, weight in loras])


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
