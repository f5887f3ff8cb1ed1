"""The thread pools of the container, one for each kind of blocking work."""

from concurrent.futures import Executor
from dataclasses import dataclass, field

from inference.observability.logs import ContextThreadPool


def _pool(name: str, threads: int) -> Executor:
    return ContextThreadPool(max_workers=threads, thread_name_prefix=name)


@dataclass(frozen=True)
class Executors:
    """Thread pools, so that no kind of work waits for another.

    Attributes:
        inputs: waits for hosts of input images and for decoding processes; most threads are idle.
        adapters: fetches adapters.
        upscalers: fetches and reads upscalers, one at a time; the others wait.
        outputs: encodes and stores images, and resizes with Lanczos.
        reports: stores start markers, progress and previews.
    """

    inputs: Executor = field(default_factory=lambda: _pool("inputs", 64))
    adapters: Executor = field(default_factory=lambda: _pool("adapters", 8))
    upscalers: Executor = field(default_factory=lambda: _pool("upscalers", 8))
    outputs: Executor = field(default_factory=lambda: _pool("outputs", 8))
    reports: Executor = field(default_factory=lambda: _pool("reports", 16))
