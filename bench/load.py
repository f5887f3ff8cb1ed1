"""A closed-loop load generator: each client sends its next request when the previous one is answered."""

import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.backends import Backend
from bench.figures import percentile
from contract.generation import Generation


@dataclass(frozen=True)
class Measurement:
    """Throughput and latencies of one round.

    Attributes:
        images: one for each request.
        seconds: from the first request to the last response.
        latencies_s: of each request.
    """

    images: int
    seconds: float
    latencies_s: tuple[float, ...]

    @property
    def images_per_second(self) -> float:
        """Throughput over all clients."""
        return self.images / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in seconds that this share of the requests did not exceed."""
        return percentile(self.latencies_s, share)


def run(backend: Backend, requests: Iterable[Generation], *, clients: int) -> Measurement:
    """Sends the requests from this many concurrent clients."""

    def send(generation: Generation) -> float:
        sent_at = time.perf_counter()
        backend.generate(generation)
        return time.perf_counter() - sent_at

    started_at = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        latencies = tuple(pool.map(send, requests))
    return Measurement(len(latencies), time.perf_counter() - started_at, latencies)


def median(rounds: list[Measurement], figure: Callable[[Measurement], float]) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(figure(each) for each in rounds)
