"""Runs all attacks, one after another, and prints what they cost as Markdown tables.

All of it is bounded, and sent to the loopback interface only.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from bench.attack.bodies import BODIES, attack_with_body
from bench.attack.files import FILES, attack_with_file
from bench.attack.hosts import HOSTS, slow_hosts
from bench.attack.images import IMAGES
from bench.attack.jobs import (
    JOBS,
    TINY_JOB,
    Cost,
    attack,
    attack_with_image,
    connect,
    container_of,
    outcome,
    request_with_image,
    time_of_good_job,
)
from bench.attack.kills import decoding_processes, fork_servers, kill, killing, started
from bench.attack.usage import wait_until
from local.stack import LocalStack

_ROUNDS = 3
_LONG_JOB = {**TINY_JOB, "steps": 100, "count": 4, "width": 512, "height": 512}
_COLUMNS = (
    "attack",
    "good job, s",
    "hostile jobs, s",
    "memory, MiB",
    "/ping, ms",
    "hostile jobs end with",
    "threads",
    "descriptors",
    "disk, MiB",
)
_MIB = 2**20


def main() -> None:
    """Runs the attacks."""
    with tempfile.TemporaryDirectory() as directory:
        stack = LocalStack.start(
            port=0, directory=Path(directory), report=partial(print, file=sys.stderr, flush=True)
        )
        try:
            _run(stack)
        finally:
            stack.stop()


def _run(stack: LocalStack) -> None:
    attack_with_image(stack, IMAGES["16-bit PNG, 7071 x 7071"]())  # fills the thread pools
    with connect(stack) as client:
        alone_s = statistics.median(time_of_good_job(stack, client) for _ in range(_ROUNDS))
    print(f"A good job alone: {alone_s:.1f} s. Usage: idle / highest / afterwards.\n")
    _print_table(_COLUMNS, (_row(*each) for each in _attacks_on_stack(stack)))
    print()
    with slow_hosts(stack) as hosts:
        hosts.attack(*HOSTS["silent, and the jobs are canceled"])  # fills the thread pools
        alone_s = statistics.median(hosts.time_of_good_job() for _ in range(_ROUNDS))
        print(f"Slow hosts, in a container of their own; a good job alone: {alone_s:.1f} s.\n")
        costs = ((name, hosts.attack(path, end)) for name, (path, end) in HOSTS.items())
        _print_table(_COLUMNS, (_row(*each) for each in costs))
    print()
    _print_table(("request body", "status", "answer, bytes", "s"), _bodies(stack))
    print()
    _kill_container(stack)


def _attacks_on_stack(stack: LocalStack) -> Iterator[tuple[str, Cost]]:
    for name, create in IMAGES.items():
        yield f"image: {name}", attack_with_image(stack, create())
    for name, file in FILES.items():
        size, cost = attack_with_file(stack, file)
        yield f"file: {name}, {size:,} bytes", cost
    slow = [request_with_image(stack, IMAGES["16-bit PNG, 7071 x 7071"]())] * JOBS
    yield "decoding processes killed", attack(stack, slow, meanwhile=partial(killing, decoding_processes))
    yield "fork server killed", attack(stack, slow, meanwhile=partial(killing, fork_servers))
    yield "long jobs, canceled", attack(stack, [_LONG_JOB] * JOBS, cancel=True)


def _kill_container(stack: LocalStack) -> None:
    container = container_of(stack)
    before = container.usage()
    request = request_with_image(stack, IMAGES["16-bit PNG, 7071 x 7071"]())
    with connect(stack) as client:
        submitted = [client.submit(request) for _ in range(JOBS)]
        wait_until(lambda: decoding_processes(container))
        left = kill(container)
        started_at = time.monotonic()
        outcomes = {outcome(client, job) for job in submitted}
        ended_s = time.monotonic() - started_at
        leftovers = container.disk_bytes()
        with started(container, "-m", "inference") as restarted:
            start_s = time.monotonic() - started_at
            good_job_s = time_of_good_job(stack, client)
            after = restarted.usage()
    print(
        f"Container killed while {JOBS} jobs run: they end with {', '.join(sorted(outcomes))} after "
        f"{ended_s:.1f} s; {left} processes and {leftovers / _MIB:.0f} MiB of files are left of it. Another "
        f"one is healthy {start_s:.1f} s after the kill, and a good job takes {good_job_s:.1f} s; temporary "
        f"disk space {before.disk_bytes / _MIB:.0f} MiB before and {after.disk_bytes / _MIB:.0f} MiB after."
    )


def _bodies(stack: LocalStack) -> Iterator[tuple[str, ...]]:
    for name, create in BODIES.items():
        status, size, seconds = attack_with_body(stack, create())
        yield name, str(status), f"{size:,}", f"{seconds:.2f}"


def _row(name: str, cost: Cost) -> tuple[str, ...]:
    watch = cost.watch

    def figures(field: str, unit: int = 1) -> str:
        return " / ".join(
            f"{getattr(each, field) / unit:.0f}" for each in (watch.idle, watch.most, watch.after)
        )

    return (
        name,
        f"{cost.good_job_s:.1f}",
        f"{cost.hostile_jobs_s:.1f}",
        f"{cost.memory_bytes / _MIB:.0f}",
        f"{watch.ping_s * 1000:.0f}",
        ", ".join(sorted(set(cost.outcomes))),
        figures("threads"),
        figures("descriptors"),
        figures("disk_bytes", _MIB),
    )


def _print_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    for cells in (columns, ["---"] * len(tuple(columns))):
        print(f"| {' | '.join(cells)} |")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
