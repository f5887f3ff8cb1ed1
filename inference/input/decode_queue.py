"""Admission to decoding: limits the memory in use at once, and lets small images go first."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from inference.input.decoding import FULL_SIZE_PIXELS
from inference.isolation import Limits

_TIME_LIMIT_S = 10.0
SMALL = Limits(seconds=_TIME_LIMIT_S, memory_bytes=256 << 20)
"""For images of up to `FULL_SIZE_PIXELS`: several copies of 4 bytes a pixel."""

LARGE = Limits(seconds=_TIME_LIMIT_S, memory_bytes=768 << 20)
"""For images of up to 50 million pixels; WebP's decoder reserves two canvases and hardly uses one of them."""


class PrioritySemaphore:
    """A semaphore that admits the waiter with the lowest cost first."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def slot(self, cost: int) -> AsyncIterator[None]:
        """Waits for a slot and holds it during the block."""
        if self._free:
            self._free -= 1
        else:
            admitted = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (cost, next(self._arrivals), admitted))
            try:
                await admitted
            except asyncio.CancelledError:
                if admitted.done() and not admitted.cancelled():
                    self._release()
                raise
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        while self._waiting:
            *_, admitted = heapq.heappop(self._waiting)
            if not admitted.done():
                admitted.set_result(None)
                return
        self._free += 1


class DecodeQueue:
    """Admits jobs to decoding: one with large images and two others at once."""

    def __init__(self) -> None:
        self._small = PrioritySemaphore(2)
        self._large = PrioritySemaphore(1)

    @asynccontextmanager
    async def slot(self, pixels: int) -> AsyncIterator[Limits]:
        """Waits until a job whose largest image has this many pixels may be decoded; small ones go first."""
        is_small = pixels <= FULL_SIZE_PIXELS
        async with (self._small if is_small else self._large).slot(pixels):
            yield SMALL if is_small else LARGE
