"""`python -m bench.compilation`: compiled UNets beside eager ones, and steps while the compiler runs.

On the GPU if there is one.
"""

import argparse
import os
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from tqdm import tqdm

from inference.diffusion.compilation.compiler_process import CompilerProcess
from inference.diffusion.compilation.package import AotiPackage
from inference.diffusion.compilation.specification import Specification
from inference.diffusion.compilation.trial import Call, measure
from inference.diffusion.compilation.weights import CurrentWeights
from inference.diffusion.modules.torch_threads import spare_a_core
from inference.models.loading import default_device_and_dtype
from inference.models.memory_format import move_to_device

_DEMO_MODEL = Path(__file__).parents[1] / "inference" / "demo_model"
_TIME_IDS = 6
_WINDOW_S = 1
"""Steps are timed for so long with the compiler, and then without it."""


def main() -> int:
    """Measures, and prints two Markdown tables."""
    arguments = _parser().parse_args()
    spare_a_core()
    device, dtype = default_device_and_dtype()
    unet: Any = UNet2DConditionModel.from_pretrained(
        arguments.model / "unet", dtype=dtype, local_files_only=True
    )
    move_to_device(unet.requires_grad_(requires_grad=False), device)
    beside, packages = [], {}
    for rows in arguments.rows:
        inputs = _inputs(unet, rows, arguments.size)
        weights = CurrentWeights(unet, tuple)
        compilation = _Compilation(Specification.of(unet, weights.layouts, inputs))
        beside.append(_time_beside(compilation, _eager(unet, inputs), rows))
        packages[rows] = compilation.package
    print("| rows | compilation, s | pairs | step without it, ms | cost, median | 10 % | 90 % |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for line in beside:
        print(line)
    print("\n| rows | pairs | eager step, ms | compiled, ms | compiled / eager, median | 10 % | 90 % |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows, content in packages.items():
        print(_compare(unet, content, _inputs(unet, rows, arguments.size), arguments.pairs))
    return 0


class _Compilation:
    """A compilation in the background, which can be paused.

    Attributes:
        package: the content, when it has ended.
    """

    def __init__(self, specification: Specification) -> None:
        self.package = b""
        self._thread = Thread(target=self._run, args=(specification,))
        self._thread.start()

    def _run(self, specification: Specification) -> None:
        self.package = CompilerProcess().compile(specification)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for children in Path("/proc/self/task").glob("*/children"):
            for process_id in map(int, children.read_text().split()):
                os.killpg(os.getpgid(process_id), number)


def _time_beside(compilation: _Compilation, step: Call, rows: int) -> str:
    """A row of the first table, with pairs of windows: while the compiler runs, and while it is paused."""
    running, costs, without = 0.0, [], []
    progress = tqdm(desc=f"{rows} rows, compiling", file=sys.stderr)
    while True:
        started_at = time.perf_counter()
        with_compiler = statistics.median(_seconds(step, _WINDOW_S))
        running += time.perf_counter() - started_at
        if not compilation.is_running:
            break
        compilation.pause()
        paused = statistics.median(_seconds(step, _WINDOW_S))
        compilation.resume()
        without.append(1000 * paused)
        costs.append(with_compiler / paused - 1)
        progress.update()
    progress.close()
    deciles = statistics.quantiles(costs, n=10)
    figures = " | ".join(f"{figure:+.1%}" for figure in (statistics.median(costs), deciles[0], deciles[-1]))
    return f"| {rows} | {running:.0f} | {len(costs)} | {statistics.median(without):.2f} | {figures} |"


def _compare(unet: Any, content: bytes, inputs: Mapping[str, torch.Tensor], pairs: int) -> str:
    """A row of the second table."""
    weights = CurrentWeights(unet, tuple)
    package = AotiPackage(content, frozenset(weights.layouts))
    package.bind(weights.views)
    tensors = [*inputs.values()]
    steps: dict[str, Call] = {
        "eager": _eager(unet, inputs),
        "compiled": lambda: package.run(tensors),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in tqdm(range(pairs), desc=f"{len(tensors[0])} rows", file=sys.stderr):
        for name in steps if number % 2 else reversed(steps):
            seconds[name].append(statistics.median(_timed(steps[name]) for _ in range(5)))
    ratios = [compiled / eager for eager, compiled in zip(seconds["eager"], seconds["compiled"], strict=True)]
    deciles = statistics.quantiles(ratios, n=10)
    times = " | ".join(f"{1000 * statistics.median(each):.2f}" for each in seconds.values())
    figures = " | ".join(f"{figure:.2f}" for figure in (statistics.median(ratios), deciles[0], deciles[-1]))
    return f"| {len(tensors[0])} | {pairs} | {times} | {figures} |"


def _inputs(unet: Any, rows: int, size: int) -> dict[str, torch.Tensor]:
    """Inputs for images of this size in pixels, as in `Specification.inputs`."""
    config = unet.config
    shapes = {
        "sample": (config.in_channels, size // 8, size // 8),
        "timestep": (),
        "encoder_hidden_states": (77, config.cross_attention_dim),
    }
    if config.addition_embed_type == "text_time":
        pooled = config.projection_class_embeddings_input_dim - _TIME_IDS * config.addition_time_embed_dim
        shapes |= {"text_embeds": (pooled,), "time_ids": (_TIME_IDS,)}
    inputs = {name: torch.randn(rows, *shape).to(unet.device, unet.dtype) for name, shape in shapes.items()}
    return inputs | {"timestep": torch.full((rows,), 500.0, device=unet.device)}


def _eager(unet: Any, inputs: Mapping[str, torch.Tensor]) -> Call:
    sample, timestep, prompts, *_ = inputs.values()
    added = {name: inputs[name] for name in ("text_embeds", "time_ids") if name in inputs}

    def step() -> torch.Tensor:
        output: torch.Tensor = unet(
            sample,
            timestep,
            encoder_hidden_states=prompts,
            added_cond_kwargs=added or None,
            return_dict=False,
        )[0]
        return output

    return step


def _seconds(step: Call, duration_s: float) -> Iterator[float]:
    """The seconds of each step, for a time."""
    deadline = time.perf_counter() + duration_s
    while time.perf_counter() < deadline:
        yield _timed(step)


def _timed(step: Call) -> float:
    with torch.inference_mode():
        return measure(step)[1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.compilation", description=__doc__)
    parser.add_argument("--model", type=Path, default=_DEMO_MODEL, help="a diffusers directory")
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--rows", type=int, nargs="+", default=[2, 16], help="rows of the forward passes")
    parser.add_argument("--pairs", type=int, default=50, help="pairs of steps, eager and compiled")
    return parser


if __name__ == "__main__":
    sys.exit(main())
