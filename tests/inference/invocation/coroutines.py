"""Running of coroutines within the tests' time limit."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.waiting import LIMIT_S

_T = TypeVar("_T")


def run_within_limit(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """The coroutine's result; raises TimeoutError if it takes longer than `LIMIT_S`."""

    async def limited() -> _T:
        async with asyncio.timeout(LIMIT_S):
            return await coroutine

    return asyncio.run(limited())


async def run_ready_callbacks() -> None:
    """Lets the other tasks run until each of them waits for an event that has not happened."""
    for _ in range(20):
        await asyncio.sleep(0)


async def wait_forever() -> None:
    await asyncio.Event().wait()
