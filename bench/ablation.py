"""`python -m bench.ablation`: this engine beside itself with one part left out, in pairs.

Engines are assembled from the product's own parts. Those that cannot be left out so are measured elsewhere:
the schedulers' steps of all images at once by `bench.steps`, compilation by `bench.compilation`, CUDA graphs,
the selection of kernels and the second stream by `bench.gpu`.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.engine_backend import Engine, ImageBatcher, RecordingBatcher, assemble
from bench.figures import markdown
from bench.load import run
from bench.requests import SAME, requests
from inference.models.loading import load_pipeline

_DEMO_MODEL = Path(__file__).parents[1] / "inference" / "demo_model"
_WARM_UP_REQUESTS = 8


@dataclass(frozen=True)
class _Part:
    """A part of the engine, and the load that shows it.

    Attributes:
        name: in the table.
        mix: see `bench.requests`.
        batcher: the class of batchers without the part.
        max_batch_size: without the part; None: the same as with it.
        options: of `assemble`, without the part.
    """

    name: str
    mix: str
    batcher: type[RecordingBatcher] = RecordingBatcher
    max_batch_size: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


_PARTS = (
    _Part("batches", SAME, max_batch_size=1),
    _Part("rows instead of images", "guidance", batcher=ImageBatcher),
    _Part("rows with LoRAs of their own", "loras", options={"mix_loras": False}),
)


def main() -> int:
    """Measures, and prints a Markdown table."""
    arguments = _parser().parse_args()
    whole = _engine(arguments, RecordingBatcher, arguments.max_batch_size, {})
    rows = []
    for part in tqdm([each for each in _PARTS if each.name in arguments.parts], file=sys.stderr):
        size = part.max_batch_size or arguments.max_batch_size
        without = _engine(arguments, part.batcher, size, part.options)
        rows.append((part.name, part.mix, *_compare(whole, without, part.mix, arguments)))
        without.close()
    whole.close()
    columns = ("part", "load", "with, images/s", "without, images/s", "ratio of the pairs")
    print(f"{arguments.clients} clients, medians of {arguments.pairs} pairs:\n")
    print(markdown(columns, rows))
    return 0


def _engine(
    arguments: argparse.Namespace, batcher: type[RecordingBatcher], size: int, options: Mapping[str, Any]
) -> Engine:
    return assemble(load_pipeline(arguments.model), batcher(max_batch_size=size), **options)


def _compare(whole: Engine, without: Engine, mix: str, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Images a second with and without the part, and the median ratio of the pairs."""

    def send(engine: Engine, count: int) -> float:
        options = {"size": arguments.size, "steps": arguments.steps, "sampler": arguments.sampler}
        return run(engine, requests(mix, count, **options), clients=arguments.clients).images_per_second

    speeds: dict[Engine, list[float]] = {whole: [], without: []}
    for engine in speeds:
        send(engine, _WARM_UP_REQUESTS)
    for pair in range(arguments.pairs):
        for engine in (whole, without) if pair % 2 == 0 else (without, whole):
            speeds[engine].append(send(engine, arguments.requests_per_client * arguments.clients))
    ratio = statistics.median(a / b for a, b in zip(speeds[whole], speeds[without], strict=True))
    medians = (statistics.median(each) for each in speeds.values())
    return (*(f"{each:.2f}" for each in medians), f"{ratio:.2f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, default=_DEMO_MODEL, help="a diffusers directory")
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sampler", default="euler_a")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests-per-client", type=int, default=3)
    parser.add_argument("--max-batch-size", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--parts", nargs="+", default=[each.name for each in _PARTS], help="as in the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
