"""Clients that send one request after another, and what they have to wait for."""

import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.backends import Arm
from contract.generation import Generation


@dataclass(frozen=True)
class Measured:
    """What a number of clients saw.

    Attributes:
        images: drawn, one a request.
        seconds: from the first request until the last answer.
        latencies_s: of each request.
    """

    images: int
    seconds: float
    latencies_s: tuple[float, ...]

    @property
    def images_per_second(self) -> float:
        """Of all clients together."""
        return self.images / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the requests stayed within."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(arm: Arm, requests: Iterable[Generation], *, clients: int) -> Measured:
    """Lets so many clients work off the requests."""

    def ask(generation: Generation) -> float:
        begun = time.perf_counter()
        arm.draw(generation)
        return time.perf_counter() - begun

    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        latencies = tuple(pool.map(ask, requests))
    return Measured(len(latencies), time.perf_counter() - begun, latencies)


def median(rounds: list[Measured], figure: Callable[[Measured], float]) -> float:
    """The figure's median over the rounds."""
    return statistics.median(figure(each) for each in rounds)
