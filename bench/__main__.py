"""`python -m bench`: throughput and latency of this engine and of other backends, with the same weights."""

import argparse
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import diffusers
import torch
from tqdm import tqdm

from bench.backends import Backend, backends
from bench.figures import markdown
from bench.first_image import ColdStart, measure_cold_start
from bench.load import Measurement, median, run
from bench.machine import describe_machine
from bench.mixed_loads import mixed_table
from bench.pipelines import load_default
from bench.requests import MIXES, SAME, requests
from bench.roofline import roofline_s
from bench.weights import random_model


def main() -> int:
    """Measures, and prints the results as Markdown tables."""
    arguments = _parser().parse_args()
    if arguments.random:
        arguments.model = random_model(arguments.random, arguments.directory)
    options = {"size": arguments.size, "steps": arguments.steps, "sampler": arguments.sampler}
    factories = {
        name: factory
        for name, factory in backends(arguments.model, max_batch_size=arguments.max_batch_size).items()
        if arguments.backends is None or name in arguments.backends
    }
    cold_starts = _measure_cold_starts(arguments, options, list(factories))
    loaded = {name: factory() for name, factory in factories.items()}
    results = measure(loaded, arguments.clients, rounds=arguments.rounds, **options)
    for backend in loaded.values():
        backend.close()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()},")
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}: {arguments.model.name},")
    print(f"{arguments.size} x {arguments.size}, {arguments.steps} steps, {arguments.sampler},")
    print(f"medians of {arguments.rounds} interleaved rounds.\n")
    roofline = roofline_s(load_default(arguments.model), size=arguments.size, steps=arguments.steps)
    print(throughput_table(results, roofline))
    if arguments.mixes:
        print("\n" + mixed_table(arguments.model, arguments))
    if cold_starts:
        print("\n" + _cold_start_table(cold_starts))
    return 0


def measure(
    loaded: dict[str, Backend],
    clients: list[int],
    *,
    rounds: int,
    size: int,
    steps: int,
    sampler: str,
    mix: str = SAME,
) -> dict[tuple[str, int], list[Measurement]]:
    """Measures each backend with each number of clients, in interleaved rounds."""
    results: dict[tuple[str, int], list[Measurement]] = {}
    plan = [
        (name, number)
        for round_ in range(rounds)
        for number in clients
        for name in (list(loaded) if round_ % 2 == 0 else reversed(loaded))
    ]
    for backend in loaded.values():
        run(backend, requests(mix, 8, size=size, steps=steps, sampler=sampler), clients=2)  # warm-up
    for name, number in tqdm(plan, desc="measuring", file=sys.stderr):
        sent = requests(mix, 2 * number + 4, size=size, steps=steps, sampler=sampler)
        results.setdefault((name, number), []).append(run(loaded[name], sent, clients=number))
    return results


def throughput_table(results: dict[tuple[str, int], list[Measurement]], roofline: float | None) -> str:
    """Throughput and latencies by the number of clients and the backend.

    Args:
        results: rounds by backend and number of clients.
        roofline: see `bench.roofline.roofline_s`.
    """
    rows = []
    for (name, clients), rounds in sorted(results.items(), key=lambda item: item[0][1]):
        speeds = [each.images_per_second for each in rounds]
        figures = (
            median(rounds, lambda each: each.images_per_second),
            min(speeds),
            max(speeds),
            median(rounds, lambda each: each.percentile(0.5)),
            median(rounds, lambda each: each.percentile(0.95)),
        )
        share = [] if roofline is None else [f"{figures[0] * roofline:.0%}"]
        rows.append((name, str(clients), *(f"{figure:.2f}" for figure in figures), *share))
    columns = ("backend", "clients", "images/s", "min", "max", "p50 s", "p95 s")
    return markdown((*columns, *([] if roofline is None else ["of roofline"])), rows)


def _measure_cold_starts(
    arguments: argparse.Namespace, options: dict[str, Any], names: list[str]
) -> dict[str, list[ColdStart]]:
    """Cold starts of the backends in turn, so that all of them meet the same state of the machine."""
    request = requests(SAME, 1, **options)[0]
    measured: dict[str, list[ColdStart]] = {}
    for round_ in range(arguments.cold_starts):
        for name in names if round_ % 2 == 0 else reversed(names):
            if "reloading" not in name:
                cold_start = measure_cold_start(name, arguments.model, request)
                measured.setdefault(name, []).append(cold_start)
    return {name: measured[name] for name in names if name in measured}


def _cold_start_table(cold_starts: dict[str, list[ColdStart]]) -> str:
    rows = [
        (
            name,
            f"{statistics.median(each.seconds for each in measured):.2f}",
            f"{max(each.peak_mib for each in measured):.0f}",
        )
        for name, measured in cold_starts.items()
    ]
    return markdown(("backend", "process start to first image, s", "peak memory, MiB"), rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    demo_model = Path(__file__).parents[1] / "inference" / "demo_model"
    parser.add_argument("--model", type=Path, default=demo_model, help="a diffusers directory")
    parser.add_argument(
        "--random", choices=["sd15", "sdxl"], help="a full-size model with random weights instead"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path(".local/bench"), help="parent of the random models"
    )
    parser.add_argument("--size", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sampler", default="euler_a")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--max-batch-size", type=int, default=8)
    parser.add_argument("--backends", nargs="+", help="names as in the table (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold-starts", type=int, default=3, help="processes to start for each backend")
    parser.add_argument("--mixes", nargs="*", choices=MIXES, default=[], help="loads to measure as well")
    parser.add_argument("--mix-clients", type=int, default=8, help="clients that send a mixed load")
    return parser


if __name__ == "__main__":
    sys.exit(main())
