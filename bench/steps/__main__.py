"""`python -m bench.steps`: the operations and the time of a step besides the UNet, for every sampler.

Counted on the CPU with tensors that have no values and stand for those of a GPU; with a GPU, also measured by
PyTorch's profiler.
"""

import argparse
import copy
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from bench.figures import markdown
from bench.pipelines import load_default
from bench.steps.diffusers_steps import time_schedulers
from bench.steps.loop import InstantUNet, StepLoop, TimedUNet
from bench.steps.measuring import count_operations, time_steps
from bench.steps.on_gpu import profile_steps
from contract.samplers import SAMPLERS, find_sampler
from inference.diffusion.modules.torch_threads import spare_a_core

Row = tuple[str, ...]

GPU_COLUMNS = (
    "sampler",
    "kernels, smallest batch",
    "kernels, largest batch",
    "copies",
    "of pageable memory",
    "synchronisations",
)
"""Of a table of means for each step."""

_MIXED = "all at once"
_COUNTED_STEPS = 8
_WARM_UP = 2


def main() -> int:
    """Counts and measures, and prints Markdown tables."""
    arguments = _parser().parse_args()
    samplers = {find_sampler(each).name: [find_sampler(each).name] for each in arguments.samplers}
    print(count_table(samplers, arguments))
    if torch.cuda.is_available():
        rows = gpu_rows(arguments.model, samplers, images=arguments.images, size=arguments.size)
        print("\n" + markdown(GPU_COLUMNS, rows))
    print("\n" + time_table(samplers, arguments))
    return 0


def count_table(samplers: dict[str, list[str]], arguments: argparse.Namespace) -> str:
    """The most operations of any step, in bfloat16 as on a GPU."""
    pipeline = load_default(arguments.model).to("cpu").to(torch.bfloat16).to("meta")
    loop = StepLoop(pipeline, InstantUNet(), scheduler_device="cuda")
    rows = []
    for name, of_name in tqdm(
        _with_mixed(samplers), desc="counting", file=sys.stderr, total=len(samplers) + 1
    ):
        steps = {
            images: count_operations(
                loop, _images(of_name, images), steps=_COUNTED_STEPS, size=arguments.size
            )
            for images in arguments.images
        }
        most = {images: max(counted, key=lambda each: each.launches) for images, counted in steps.items()}
        launches = [most[images].launches for images in arguments.images]
        cpu = [max(each.cpu.total() for each in steps[images]) for images in arguments.images]
        copies = max(each.copies for each in most.values())
        rows.append((name, _range(launches), str(copies), *map(str, cpu)))
    loop.close()
    columns = ("sampler", "launches a step", "of them copies")
    return markdown((*columns, *(f"CPU operations, {images}" for images in arguments.images)), rows)


def gpu_rows(model: Path, samplers: Iterable[str], *, images: Sequence[int], size: int) -> Iterator[Row]:
    """Kernels, copies and synchronisations a step, by PyTorch's profiler, for `GPU_COLUMNS`.

    Args:
        model: a diffusers directory.
        samplers: canonical names.
        images: in the smallest and in the largest batch.
        size: width and height in pixels.
    """
    loop = StepLoop(load_default(model), InstantUNet())
    for name, of_name in _with_mixed({each: [each] for each in samplers}):
        smallest, largest = (
            profile_steps(loop, _images(of_name, count), steps=_COUNTED_STEPS, size=size)
            for count in (min(images), max(images))
        )
        counts = (largest.copies, largest.blocking_copies, largest.synchronisations)
        kernels = (f"{smallest.kernels:.0f}", f"{largest.kernels:.0f}")
        yield (name, *kernels, *(f"{each:.1f}" for each in counts))
    loop.close()


def time_table(samplers: dict[str, list[str]], arguments: argparse.Namespace) -> str:
    """Milliseconds a step besides the UNet, and their share of a step with the demo model's UNet."""
    spare_a_core()
    pipeline = load_default(arguments.model)
    instant = StepLoop(pipeline, InstantUNet())
    timed = TimedUNet(copy.copy(pipeline.unet))
    real = StepLoop(pipeline, timed)
    of_share = max((each for each in arguments.images if each <= arguments.share_at), default=1)
    rows = []
    options: dict[str, Any] = {"steps": arguments.steps, "size": arguments.size}
    for name, of_name in tqdm(_with_mixed(samplers), desc="timing", file=sys.stderr, total=len(samplers) + 1):
        ours, theirs = [], []
        for images in arguments.images:
            batch = _images(of_name, images)
            ours.append(_milliseconds([each.seconds for each in time_steps(instant, batch, **options)]))
            theirs.append(_milliseconds(time_schedulers(pipeline, batch, **options)))
        with_unet = time_steps(real, _images(of_name, of_share), unet=timed, **options)
        share = statistics.median(each.share_besides_unet for each in with_unet)
        rows.append((name, *ours, theirs[arguments.images.index(of_share)], f"{share:.1%}"))
    instant.close()
    real.close()
    columns = ("sampler", *(f"ms, {images}" for images in arguments.images))
    return markdown((*columns, f"diffusers one by one, ms, {of_share}", f"share of a step, {of_share}"), rows)


def _with_mixed(samplers: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Each sampler, and a batch in which every image has another one."""
    yield from samplers.items()
    if len(samplers) > 1:
        yield _MIXED, list(samplers)


def _images(samplers: list[str], images: int) -> list[str]:
    return [samplers[index % len(samplers)] for index in range(images)]


def _range(values: list[int]) -> str:
    return str(values[0]) if len(set(values)) == 1 else f"{min(values)} to {max(values)}"


def _milliseconds(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds[_WARM_UP:]) * 1000:.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.steps", description=__doc__)
    demo_model = Path(__file__).parents[2] / "inference" / "demo_model"
    parser.add_argument("--model", type=Path, default=demo_model, help="a diffusers directory")
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--steps", type=int, default=20, help="of the images whose steps are timed")
    parser.add_argument("--images", type=int, nargs="+", default=[1, 4, 8, 16], help="in a batch")
    parser.add_argument("--share-at", type=int, default=8, help="images of the batch with the UNet")
    parser.add_argument("--samplers", nargs="+", default=[each.name for each in SAMPLERS])
    return parser


if __name__ == "__main__":
    sys.exit(main())
