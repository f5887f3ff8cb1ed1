"""`python -m bench.neighbours`: how much the container's other threads slow the one that launches the UNet.

Each row is measured in pairs, in alternating order: forward passes of a tiny UNet alone, and beside a thread
that does one kind of work over and over, or beside the container's own threads. The pause is the longest time
for which a thread that only counts did not run.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from multiprocessing.synchronize import Event

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from bench.figures import markdown
from bench.neighbours.container import PacedEngine, bucket_at, container, container_apart
from bench.neighbours.launches import tiny_unet
from bench.neighbours.processes import bucket_server, clients
from bench.neighbours.work import REQUEST, Work, kinds_of_work

_WARM_UP_S = 0.05
_COUNT_S = 0.5
_CLIENTS = 16
_SERVING, _APART = "the container at 11 images/s", "the same in another process"

Forward = Callable[[], float]
Neighbour = Callable[[], AbstractContextManager[None]]


def main() -> int:
    """Measures, and prints a Markdown table for each switch interval."""
    arguments = _parser().parse_args()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _measure(arguments)
    finally:
        torch.set_num_threads(threads)
    return 0


def _measure(arguments: argparse.Namespace) -> None:
    image = _photograph(arguments.size)
    engine = PacedEngine(image)
    run = partial(_pass, tiny_unet(), engine)
    with ExitStack() as stack:
        bucket = stack.enter_context(bucket_server())
        beside: dict[str, Neighbour] = {
            name: partial(_working, work) for name, work in kinds_of_work(image, bucket_at(bucket)).items()
        }
        containers = {
            _SERVING: container(engine, bucket_at(bucket)),
            _APART: container_apart(image, bucket),
        }
        for name, serve in containers.items():
            if not arguments.only or name in arguments.only:
                port = stack.enter_context(serve)
                active = stack.enter_context(clients(_CLIENTS, port, REQUEST.model_dump(exclude_unset=True)))
                beside[name] = partial(_serving, active, partial(_mean_pass, run, arguments.start_seconds))
        if arguments.only:
            beside = {name: each for name, each in beside.items() if name in arguments.only}
        for interval_ms in arguments.switch_intervals_ms:
            with _switch_interval(interval_ms / 1000):
                rows = [
                    _row(name, neighbour, run, arguments)
                    for name, neighbour in tqdm(beside.items(), file=sys.stderr)
                ]
            print(f"Switch interval {interval_ms:g} ms:\n")
            columns = ("beside", "alone, ms", "beside, ms", "ratio of the pairs", "longest pause, ms")
            print(markdown(columns, rows), "\n")


def _pass(forward: Forward, engine: PacedEngine) -> float:
    """The seconds of a forward pass, and of a step of the engine's jobs."""
    started_at = time.perf_counter()
    forward()
    engine.step()
    return time.perf_counter() - started_at


def _row(name: str, neighbour: Neighbour, forward: Forward, arguments: argparse.Namespace) -> tuple[str, ...]:
    pairs: list[tuple[float, float]] = []
    for number in range(arguments.pairs):
        measured = {}
        for crowded in (False, True) if number % 2 else (True, False):
            with neighbour() if crowded else _alone():
                measured[crowded] = _mean_pass(forward, arguments.seconds)
        pairs.append((measured[False], measured[True]))
    alone, beside = zip(*pairs, strict=True)
    with neighbour():
        pause = _longest_pause()
    figures = (statistics.median(alone) * 1000, statistics.median(beside) * 1000)
    ratio = statistics.median(crowded / single for single, crowded in pairs)
    return name, *(f"{figure:.1f}" for figure in figures), f"{ratio:.2f}", f"{pause * 1000:.1f}"


def _mean_pass(forward: Forward, seconds: float) -> float:
    """The mean seconds of as many passes as fit in the time, and of one at least."""
    passes = [forward()]
    while sum(passes) < seconds:
        passes.append(forward())
    return statistics.mean(passes)


@contextmanager
def _working(work: Work) -> Iterator[None]:
    """A thread that does the work over and over during the block."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=loop)
    thread.start()
    time.sleep(_WARM_UP_S)
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _serving(active: Event, pass_time: Callable[[], object]) -> Iterator[None]:
    """The clients of a container send jobs during the block, which begins and ends in the midst of them."""
    active.set()
    try:
        pass_time()
        yield
    finally:
        active.clear()
        pass_time()


@contextmanager
def _switch_interval(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _alone() -> Iterator[None]:
    yield


def _longest_pause() -> float:
    """The longest time in seconds between two turns of a loop that keeps the interpreter to itself."""
    longest, last = 0.0, time.perf_counter()
    end = last + _COUNT_S
    while last < end:
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def _photograph(size: int) -> Image.Image:
    """Noise that is smooth along the rows, which compresses like a photograph."""
    noise = np.cumsum(np.random.default_rng(0).normal(size=(size, size, 3)), axis=1)
    return Image.fromarray((noise * 3 % 255).astype("uint8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="width and height of images in pixels")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each half of a pair")
    parser.add_argument(
        "--start-seconds", type=float, default=2, help="for a container's first jobs, and for its last"
    )
    parser.add_argument("--switch-intervals-ms", type=float, nargs="+", default=[5.0, 0.1])
    parser.add_argument("--only", nargs="+", help="names as in the table (default: all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
