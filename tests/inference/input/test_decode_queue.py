import asyncio
from typing import TYPE_CHECKING

from inference.input.decode_queue import LARGE, SMALL, DecodeQueue, PrioritySemaphore
from inference.input.decoding import FULL_SIZE_PIXELS

if TYPE_CHECKING:
    from inference.isolation import Limits


def test_the_waiter_with_the_lowest_cost_is_admitted_first() -> None:
    admitted: list[int] = []

    async def use(semaphore: PrioritySemaphore, cost: int, done: asyncio.Event | None = None) -> None:
        async with semaphore.slot(cost):
            admitted.append(cost)
            if done is not None:
                await done.wait()

    async def run() -> None:
        semaphore, done = PrioritySemaphore(1), asyncio.Event()
        first = asyncio.create_task(use(semaphore, 9, done))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(use(semaphore, cost)) for cost in (7, 3, 5, 3)]
        await asyncio.sleep(0)
        assert admitted == [9]
        done.set()
        await asyncio.gather(first, *waiting)

    asyncio.run(run())
    assert admitted == [9, 3, 3, 5, 7]


def test_a_cancelled_waiter_takes_no_slot() -> None:
    async def run() -> None:
        semaphore = PrioritySemaphore(1)
        async with semaphore.slot(0):
            waiting = [asyncio.create_task(semaphore.slot(cost).__aenter__()) for cost in (1, 2)]
            await asyncio.sleep(0)
            waiting[0].cancel()
        await waiting[1]
        assert waiting[0].cancelled()

    asyncio.run(run())


def test_a_waiter_that_is_cancelled_while_it_is_admitted_returns_its_slot() -> None:
    async def run() -> None:
        semaphore = PrioritySemaphore(1)
        async with semaphore.slot(0):
            waiting = asyncio.create_task(semaphore.slot(1).__aenter__())
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with semaphore.slot(2):
            pass

    asyncio.run(run())


def test_two_jobs_with_small_images_and_one_with_large_ones_are_admitted_at_once() -> None:
    active: list[Limits] = []
    most: list[Limits] = []

    async def use(queue: DecodeQueue, pixels: int) -> None:
        nonlocal most
        async with queue.slot(pixels) as limits:
            active.append(limits)
            most = max(most, list(active), key=len)
            await asyncio.sleep(0)
            active.remove(limits)

    async def run() -> None:
        queue = DecodeQueue()
        await asyncio.gather(
            *(use(queue, pixels) for pixels in (FULL_SIZE_PIXELS, FULL_SIZE_PIXELS + 1) for _ in range(4))
        )

    asyncio.run(run())
    assert sorted(most, key=lambda limits: limits.memory_bytes) == [SMALL, SMALL, LARGE]
    assert (SMALL.memory_bytes, LARGE.memory_bytes) == (256 << 20, 768 << 20)
