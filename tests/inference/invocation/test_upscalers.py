"""Upscalers by name, and the threads that load them."""

import asyncio
import threading
from pathlib import Path
from typing import Any

from inference.engine.interface import AdapterFile
from inference.invocation.executors import Executors
from inference.invocation.upscalers import UpscalerResolver
from tests.waiting import LIMIT_S

POINTER = "#/upscale/upscaler"


class SlowEngine:
    """Reads upscalers until the gate is opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.reading = threading.Semaphore(0)

    def upscaler(self, file: AdapterFile, *, pointer: str) -> Any:
        self.reading.release()
        assert self.gate.wait(LIMIT_S)
        return file.name


def test_upscalers_that_are_slow_to_read_do_not_hold_up_other_adapters_and_outputs() -> None:
    engine: Any = SlowEngine()
    executors = Executors()

    def fetch(name: str, *, pointer: str) -> AdapterFile:
        return AdapterFile(name, Path(name), version="1")

    async def run() -> None:
        resolver = UpscalerResolver(engine, fetch, executors=executors)
        names = [str(number) for number in range(100)]
        waiting = [asyncio.create_task(resolver.find(name, pointer=POINTER)) for name in names]
        await asyncio.to_thread(engine.reading.acquire, timeout=LIMIT_S)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LIMIT_S):
            for executor in (executors.inputs, executors.adapters, executors.outputs):
                assert await loop.run_in_executor(executor, len, names) == 100
        engine.gate.set()
        assert await asyncio.gather(*waiting) == names

    asyncio.run(run())
