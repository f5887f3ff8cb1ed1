"""Images a second of this engine, of its parts left out, and of pipelines."""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.backends import Backend
from bench.engine_backend import Engine, load
from bench.load import run
from bench.pipelines import Batched, Sequential, load_default
from bench.requests import SAME, requests
from contract.generation import Generation
from contract.model import ModelDeclaration, ModelDefaults
from inference.diffusion.device import check_device
from inference.diffusion.loader import load_engine

COLUMNS = ("backend", "clients", "images/s", "p50 s", "p95 s", "of roofline")

_SAMPLER = "euler_a"


@dataclass(frozen=True)
class Setting:
    """Requests of a benchmark.

    Attributes:
        model: a diffusers directory.
        size: width and height in pixels.
        steps: of each image.
        roofline_s: see `bench.roofline.roofline_s`.
    """

    model: Path
    size: int
    steps: int
    roofline_s: float | None


@dataclass(frozen=True)
class Arm:
    """A backend, loaded when it is measured.

    Attributes:
        name: in the table.
        load: loads it.
        clients: numbers of clients.
        images_per_client: of each measurement.
    """

    name: str
    load: Callable[[], Backend]
    clients: Sequence[int]
    images_per_client: int = 3


def engine_arms(setting: Setting) -> list[Arm]:
    """This engine, as the container runs it."""
    return [
        Arm(
            "this engine",
            lambda: load(setting.model, max_batch_size=8, size=setting.size),
            (1, 8, 16),
        )
    ]


def fp8_arms(setting: Setting) -> list[Arm]:
    """This engine with the UNet's linear layers in 8 bits."""

    def load_fp8() -> Backend:
        check_device((), quantization="fp8")
        model = ModelDeclaration(
            name="bench", defaults=ModelDefaults(width=setting.size, height=setting.size)
        )
        return Engine(load_engine(setting.model, max_batch_size=8, quantization="fp8", warm_up_for=model))

    return [Arm("this engine, FP8", load_fp8, (16,), 2)]


def ablation_arms(setting: Setting) -> list[Arm]:
    """This engine with one part after another left out.

    To be measured before `engine_arms`: the kernels that one engine selects apply to the whole process.
    """

    def without(*, cuda_graphs: bool = True, max_batch_size: int = 8) -> Callable[[], Backend]:
        return lambda: Engine(
            load_engine(setting.model, max_batch_size=max_batch_size, cuda_graphs=cuda_graphs)
        )

    return [
        Arm("without selection of kernels and warm-up", without(), (1, 16)),
        Arm("also without CUDA graphs", without(cuda_graphs=False), (1, 16)),
        Arm("also without batches", without(cuda_graphs=False, max_batch_size=1), (16,), 1),
    ]


def pipeline_arms(setting: Setting) -> list[Arm]:
    """Diffusers' pipelines, which batch only requests with the same settings, or none."""
    return [
        Arm("diffusers", lambda: Sequential(lambda: load_default(setting.model)), (1,), 4),
        Arm(
            "diffusers, batched by hand",
            lambda: Batched(lambda: load_default(setting.model), max_batch_size=8),
            (8, 16),
            2,
        ),
    ]


def measure_arms(setting: Setting, arms: Sequence[Arm]) -> Iterator[tuple[str, ...]]:
    """Loads and measures one arm after another; each is warmed up with its largest number of clients."""
    for arm in arms:
        backend = arm.load()
        try:
            run(backend, _requests(setting, max(arm.clients)), clients=max(arm.clients))
            for clients in arm.clients:
                count = max(4, arm.images_per_client * clients)
                measured = run(backend, _requests(setting, count), clients=clients)
                speed = measured.images_per_second
                share = "" if setting.roofline_s is None else f"{speed * setting.roofline_s:.0%}"
                latencies = (measured.percentile(0.5), measured.percentile(0.95))
                yield (arm.name, str(clients), f"{speed:.2f}", *(f"{each:.2f}" for each in latencies), share)
        finally:
            backend.close()
            del backend
            gc.collect()
            torch.cuda.empty_cache()


def _requests(setting: Setting, count: int) -> list[Generation]:
    return requests(SAME, count, size=setting.size, steps=setting.steps, sampler=_SAMPLER)
