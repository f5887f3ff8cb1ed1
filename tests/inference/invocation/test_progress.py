import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from contract.progress import Phase, Progress
from inference.invocation.progress import ProgressPublisher


class Recorder:
    def __init__(self) -> None:
        self.stored: list[Progress] = []

    def store_progress(self, job_id: str, progress: Progress) -> None:
        assert job_id == "J"
        self.stored.append(progress)


class Seconds:
    """A sleep that lasts until the test lets the second pass."""

    def __init__(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.over = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        assert seconds == 1
        self.begun.release()
        await self.over.acquire()

    async def pass_one(self) -> None:
        """What is to be stored in this second is stored; the next begins."""
        await self.begun.acquire()
        self.over.release()


def denoising(step: int) -> Progress:
    return Progress(phase=Phase.DENOISING, step=step, total_steps=9)


UPLOADING = Progress(phase=Phase.UPLOADING, step=9, total_steps=9)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def job(recorder: Recorder) -> Callable[[Seconds], ProgressPublisher]:
    return lambda seconds: ProgressPublisher(recorder, "J", ThreadPoolExecutor(1), sleep=seconds.sleep)


def test_the_first_step_is_stored_at_once_and_of_each_later_second_the_last(
    recorder: Recorder, job: Callable[[Seconds], ProgressPublisher]
) -> None:
    async def draw() -> None:
        seconds = Seconds()
        async with job(seconds) as publisher:
            publisher.on_step(1, 9)
            await seconds.begun.acquire()
            assert recorder.stored == [denoising(1)]
            for step in (2, 3, 4):
                publisher.on_step(step, 9)
            seconds.over.release()
            await seconds.begun.acquire()
            assert recorder.stored == [denoising(1), denoising(4)]

    asyncio.run(draw())


def test_the_last_word_is_stored_after_a_job_that_ends_sooner(
    recorder: Recorder, job: Callable[[Seconds], ProgressPublisher]
) -> None:
    async def draw() -> None:
        seconds = Seconds()
        async with job(seconds) as publisher:
            publisher.on_step(8, 9)
            await seconds.begun.acquire()
            publisher.on_step(9, 9)
            publisher.on_drawn()
        seconds.over.release()
        await seconds.pass_one()
        assert recorder.stored == [denoising(8), UPLOADING]

    asyncio.run(draw())


def test_a_job_that_fails_says_nothing_more(
    recorder: Recorder, job: Callable[[Seconds], ProgressPublisher]
) -> None:
    async def draw() -> None:
        seconds = Seconds()
        with suppress(ZeroDivisionError):
            async with job(seconds) as publisher:
                publisher.on_step(1, 9)
                await seconds.begun.acquire()
                publisher.on_step(1 // 0, 9)
        (storing,) = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait([storing])
        assert recorder.stored == [denoising(1)]

    asyncio.run(draw())


def test_steps_are_told_from_other_threads(
    recorder: Recorder, job: Callable[[Seconds], ProgressPublisher]
) -> None:
    async def draw() -> None:
        seconds = Seconds()
        async with job(seconds) as publisher:
            await asyncio.to_thread(publisher.on_step, 1, 9)
            await seconds.begun.acquire()
        assert recorder.stored == [denoising(1)]

    asyncio.run(draw())
