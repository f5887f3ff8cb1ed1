"""`python -m bench`: images a second and latencies, of this engine and of its peers, on the same weights."""

import argparse
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

import diffusers
import torch
from tqdm import tqdm

from bench.backends import arms, open_plainly
from bench.first_image import Start, measure
from bench.load import Measured, median, run
from bench.roofline import floor_s
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
    """Measures, and prints two tables in Markdown."""
    arguments = _parser().parse_args()
    if arguments.random:
        arguments.model = random_model(arguments.random, arguments.directory)
    makers = {
        name: make
        for name, make in arms(arguments.model, max_batch_size=arguments.max_batch_size).items()
        if arguments.arms is None or name in arguments.arms
    }
    starts = {
        name: [measure(name, arguments.model, _requests(arguments, 1)[0]) for _ in range(arguments.starts)]
        for name in makers
        if arguments.starts and "reloading" not in name
    }
    contenders = {name: make() for name, make in makers.items()}
    results: dict[tuple[str, int], list[Measured]] = {}
    plan = [
        (name, clients)
        for round_ in range(arguments.rounds)
        for clients in arguments.clients
        for name in (list(contenders) if round_ % 2 == 0 else reversed(contenders))
    ]
    for arm in contenders.values():
        run(arm, _requests(arguments, 2), clients=2)
    for name, clients in tqdm(plan, desc="measuring", file=sys.stderr):
        measured = run(contenders[name], _requests(arguments, 2 * clients + 4), clients=clients)
        results.setdefault((name, clients), []).append(measured)
    for arm in contenders.values():
        arm.close()
    _print(arguments, results)
    if starts:
        _print_starts(starts)
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


def _print(arguments: argparse.Namespace, results: dict[tuple[str, int], list[Measured]]) -> None:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {device}, {versions}:")
    print(
        f"{arguments.model.name}, {arguments.size} x {arguments.size}, {arguments.steps} steps, "
        f"{arguments.sampler}, medians of {arguments.rounds} interleaved rounds."
    )
    print()
    floor = floor_s(open_plainly(arguments.model), size=arguments.size, steps=arguments.steps)
    print("| clients | arm | images/s | from | to | p50 s | p95 s | of the floor |")
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
            share = "" if floor is None else f"{cells[0] * floor:.0%}"
            print(f"| {clients} | {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} | {share} |")


def _print_starts(starts: dict[str, list[Start]]) -> None:
    print()
    print("| arm | process start to first image, s | peak memory, MiB |")
    print("| --- | ---: | ---: |")
    for name, tries in starts.items():
        seconds = statistics.median(each.seconds for each in tries)
        print(f"| {name} | {seconds:.1f} | {max(each.peak_mib for each in tries):.0f} |")


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
    parser.add_argument("--random", choices=["sd15", "sdxl"], help="instead: full size, random weights")
    parser.add_argument("--directory", type=Path, default=Path(".local/bench"), help="for those")
    parser.add_argument("--size", type=int, default=128, help="pixels of an image's side")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sampler", default="euler_a")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--max-bucket", type=int, default=8)
    parser.add_argument("--arms", nargs="+", help="by the names of the table; all unless given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3, help="standing starts of each arm")
    return parser


if __name__ == "__main__":
    sys.exit(main())
