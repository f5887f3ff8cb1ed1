"""Attacks on a local stack: hostile images beside a good job, and hostile request bodies.

`python -m bench.attack` prints what they cost. All of it is bounded, and sent to the loopback interface only.
"""

import io
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image
from rich.console import Console
from rich.table import Table

from local.client import JobFailedError, JobsClient
from local.stack import LocalStack

GOOD_JOB = {"prompt": "a red circle", "steps": 2, "seed": 1}
_JOBS = 8
_ROUNDS = 3
_SAMPLE_S = 0.05
_TIMEOUT_S = 300


@dataclass(frozen=True)
class Cost:
    """The cost of an attack with images.

    Attributes:
        good_job_s: time of a good job that is submitted after the attack.
        memory_bytes: growth of the container's resident memory, its child processes included.
        ping_s: the longest time to answer GET /ping.
        outcomes: the hostile jobs' error codes, or their status.
    """

    good_job_s: float
    memory_bytes: int
    ping_s: float
    outcomes: tuple[str, ...]


def sixteen_bit_png() -> bytes:
    """50 million pixels of 16 bits in about 100 KB."""
    return _encoded(Image.fromarray(np.zeros((7071, 7071), np.uint16)), "PNG")


def transparent_png() -> bytes:
    """50 million pixels with an alpha channel."""
    return _encoded(Image.new("RGBA", (7071, 7071)), "PNG")


def jpeg_of_many_scans() -> bytes:
    """A progressive JPEG whose last scan is repeated 500 times."""
    data = _encoded(Image.new("RGB", (4000, 4000), "red"), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * 500 + data[-2:]


def large_webp() -> bytes:
    """A WebP at the limit of its format in one direction."""
    return _encoded(Image.new("RGB", (16383, 3000)), "WEBP", lossless=True)


IMAGES: Mapping[str, Callable[[], bytes]] = {
    "16-bit PNG, 7071 x 7071": sixteen_bit_png,
    "RGBA PNG, 7071 x 7071": transparent_png,
    "JPEG with 500 scans": jpeg_of_many_scans,
    "WebP, 16383 x 3000": large_webp,
}

BODIES: Mapping[str, Callable[[], bytes]] = {
    "nested 100,000 deep": lambda: b'{"prompt":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an integer of 4,300 digits": lambda: b'{"prompt": "x", "seed": ' + b"9" * 4300 + b"}",
    "20,000 unknown fields": lambda: json.dumps(
        {"prompt": "x"} | {f"field_{number}": number for number in range(20_000)}
    ).encode(),
    "a sampler of a million characters": lambda: json.dumps(
        {"prompt": "x", "sampler": "e" * 1_000_000}
    ).encode(),
    "a list of 100,000 LoRAs": lambda: json.dumps({"prompt": "x", "loras": ["moon"] * 100_000}).encode(),
}


def attack_with_image(stack: LocalStack, data: bytes, *, jobs: int = _JOBS) -> Cost:
    """Submits jobs that name the image six times each, and a good job behind them.

    Raises:
        JobFailedError: the good job has not succeeded.
    """
    uri = _upload(stack, data)
    controlnets = [{"type": "canny", "image": uri, "preprocess": True}] * 4
    hostile = {**GOOD_JOB, "input_image": uri, "mask_image": uri, "controlnets": controlnets}
    with JobsClient(stack.address.api_url, stack.address.api_key) as client, _watched(stack) as watch:
        submitted = [client.submit(hostile) for _ in range(jobs)]
        good_job_s = time_of_good_job(client)
        outcomes = tuple(_outcome(client, job) for job in submitted)
    return Cost(good_job_s, watch.memory_bytes, watch.ping_s, outcomes)


def time_of_good_job(client: JobsClient) -> float:
    """Seconds from the submission of a good job to its success.

    Raises:
        JobFailedError: it has not succeeded.
    """
    started_at = time.monotonic()
    for _ in client.poll(client.submit(GOOD_JOB), timeout_s=_TIMEOUT_S):
        pass
    return time.monotonic() - started_at


def attack_with_body(stack: LocalStack, body: bytes) -> tuple[int, int, float]:
    """The status, the size of the answer in bytes, and the seconds that it took."""
    headers = {"x-api-key": stack.address.api_key}
    started_at = time.monotonic()
    response = httpx.post(
        f"{stack.address.api_url}/v1/jobs", content=body, headers=headers, timeout=_TIMEOUT_S
    )
    return response.status_code, len(response.content), time.monotonic() - started_at


class _Watch:
    """Samples a container's memory and its answers to /ping on a thread of its own."""

    def __init__(self, container: psutil.Process) -> None:
        self.memory_bytes = 0
        self.ping_s = 0.0
        self._container = container
        (listening,) = (
            each for each in container.net_connections("tcp") if each.status == psutil.CONN_LISTEN
        )
        self._url = f"http://{listening.laddr.ip}:{listening.laddr.port}/ping"
        self._idle_bytes = self._resident_bytes()
        self._stopped = threading.Event()

    def run(self) -> None:
        with httpx.Client(timeout=_TIMEOUT_S) as client:
            while not self._stopped.wait(_SAMPLE_S):
                started_at = time.monotonic()
                client.get(self._url).raise_for_status()
                self.ping_s = max(self.ping_s, time.monotonic() - started_at)
                self.memory_bytes = max(self.memory_bytes, self._resident_bytes() - self._idle_bytes)

    def stop(self) -> None:
        self._stopped.set()

    def _resident_bytes(self) -> int:
        """Unique set size of the process and its children: pages that they share are not counted."""
        total = 0
        for process in (self._container, *self._container.children(recursive=True)):
            try:
                total += process.memory_full_info().uss
            except psutil.NoSuchProcess:  # a child that has ended
                continue
        return int(total)


@contextmanager
def _watched(stack: LocalStack) -> Iterator[_Watch]:
    watch = _Watch(_container(stack))
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def _container(stack: LocalStack) -> psutil.Process:
    """The container of a stack that this process has started."""
    return next(
        each
        for each in psutil.Process().children(recursive=True)
        if each.cmdline()[1:] == ["-m", "inference"]
        and each.environ()["AWS_ENDPOINT_URL"] == stack.address.aws_endpoint_url
    )


def _outcome(client: JobsClient, job: Any) -> str:
    try:
        for _ in client.poll(job, timeout_s=_TIMEOUT_S):
            pass
    except JobFailedError as error:
        return error.code or "failed"
    return "succeeded"


def _upload(stack: LocalStack, data: bytes) -> str:
    key = "inputs/attack"
    stack.aws.client("s3").put_object(Bucket=stack.address.data_bucket, Key=key, Body=data)
    return f"s3://{stack.address.data_bucket}/{key}"


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def main() -> None:
    """Runs all attacks and prints their costs."""
    console = Console()
    with tempfile.TemporaryDirectory() as directory:
        stack = LocalStack.start(port=0, directory=Path(directory), report=console.print)
        try:
            with JobsClient(stack.address.api_url, stack.address.api_key) as client:
                alone_s = statistics.median(time_of_good_job(client) for _ in range(_ROUNDS))
            images = Table(
                "image, six times in 8 jobs",
                "good job, s",
                "alone, s",
                "memory, MiB",
                "/ping, ms",
                "jobs",
            )
            for name, create in IMAGES.items():
                cost = attack_with_image(stack, create())
                images.add_row(
                    name,
                    f"{cost.good_job_s:.1f}",
                    f"{alone_s:.1f}",
                    f"{cost.memory_bytes / 2**20:.0f}",
                    f"{cost.ping_s * 1000:.0f}",
                    ", ".join(sorted(set(cost.outcomes))),
                )
            console.print(images)
            bodies = Table("request body", "status", "answer, bytes", "s")
            for name, create in BODIES.items():
                status, size, seconds = attack_with_body(stack, create())
                bodies.add_row(name, str(status), f"{size:,}", f"{seconds:.2f}")
            console.print(bodies)
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
