"""`python -m bench`: throughput and latency of this engine and of other backends, with the same weights."""

import argparse
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

import diffusers
import torch
from tqdm import tqdm

from bench.backends import backends, load_default
from bench.first_image import ColdStart, measure_cold_start
from bench.load import Measurement, median, run
from bench.roofline import roofline_s
from bench.weights import random_model
from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration
from contract.request import JobRequest

_PROMPTS = (
    "a red circle on a white background",
    "a big blue star on a yellow background",
    "a small green heart on a black background",
    "a striped purple ring on an orange background",
)


def main() -> int:
    """Measures, and prints the results as Markdown tables."""
    arguments = _parser().parse_args()
    if arguments.random:
        arguments.model = random_model(arguments.random, arguments.directory)
    factories = {
        name: factory
        for name, factory in backends(arguments.model, max_batch_size=arguments.max_batch_size).items()
        if arguments.backends is None or name in arguments.backends
    }
    cold_starts = {
        name: [
            measure_cold_start(name, arguments.model, _requests(arguments, 1)[0])
            for _ in range(arguments.cold_starts)
        ]
        for name in factories
        if arguments.cold_starts and "reloading" not in name
    }
    loaded = {name: factory() for name, factory in factories.items()}
    results: dict[tuple[str, int], list[Measurement]] = {}
    plan = [
        (name, clients)
        for round_ in range(arguments.rounds)
        for clients in arguments.clients
        for name in (list(loaded) if round_ % 2 == 0 else reversed(loaded))
    ]
    for backend in loaded.values():
        run(backend, _requests(arguments, 2), clients=2)  # warm-up
    for name, clients in tqdm(plan, desc="measuring", file=sys.stderr):
        measurement = run(loaded[name], _requests(arguments, 2 * clients + 4), clients=clients)
        results.setdefault((name, clients), []).append(measurement)
    for backend in loaded.values():
        backend.close()
    _print_results(arguments, results)
    if cold_starts:
        _print_cold_starts(cold_starts)
    return 0


def _requests(arguments: argparse.Namespace, count: int) -> list[Generation]:
    model = ModelDeclaration(name="bench")
    return [
        Generation.resolve(
            JobRequest(
                prompt=_PROMPTS[index % len(_PROMPTS)],
                seed=index,
                width=arguments.size,
                height=arguments.size,
                steps=arguments.steps,
                sampler=arguments.sampler,
            ),
            model,
            job_id=new_job_id(),
            seed=0,
        )
        for index in range(count)
    ]


def _print_results(arguments: argparse.Namespace, results: dict[tuple[str, int], list[Measurement]]) -> None:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {device}, {versions}:")
    print(
        f"{arguments.model.name}, {arguments.size} x {arguments.size}, {arguments.steps} steps, "
        f"{arguments.sampler}, medians of {arguments.rounds} interleaved rounds."
    )
    print()
    roofline = roofline_s(load_default(arguments.model), size=arguments.size, steps=arguments.steps)
    print("| clients | backend | images/s | min | max | p50 s | p95 s | of roofline |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for clients in arguments.clients:
        for name in dict.fromkeys(name for name, _ in results):
            rounds = results[name, clients]
            speeds = [each.images_per_second for each in rounds]
            cells = (
                median(rounds, lambda each: each.images_per_second),
                min(speeds),
                max(speeds),
                median(rounds, lambda each: each.percentile(0.5)),
                median(rounds, lambda each: each.percentile(0.95)),
            )
            share = "" if roofline is None else f"{cells[0] * roofline:.0%}"
            print(f"| {clients} | {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} | {share} |")


def _print_cold_starts(cold_starts: dict[str, list[ColdStart]]) -> None:
    print()
    print("| backend | process start to first image, s | peak memory, MiB |")
    print("| --- | ---: | ---: |")
    for name, measured in cold_starts.items():
        seconds = statistics.median(each.seconds for each in measured)
        print(f"| {name} | {seconds:.1f} | {max(each.peak_mib for each in measured):.0f} |")


def _processor() -> str:
    names = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(names)} cores of {names[0]}" if names else platform.processor()


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
    return parser


if __name__ == "__main__":
    sys.exit(main())
