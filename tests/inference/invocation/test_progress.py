"""Publishing of progress, with a fake clock."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from contract.progress import Phase, Progress
from inference.invocation.progress import ProgressPublisher
from tests.inference.invocation.coroutines import run_ready_callbacks, run_within_limit


class InMemoryProgressStore:
    def __init__(self) -> None:
        self.stored: list[Progress] = []

    def store_progress(self, job_id: str, progress: Progress) -> None:
        assert job_id == "J"
        self.stored.append(progress)


class FakeSleep:
    """A sleep that lasts until the test ends it."""

    def __init__(self) -> None:
        self._begun = asyncio.Semaphore(0)
        self._ended = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        assert seconds == 1
        self._begun.release()
        await self._ended.acquire()

    async def wait_for_begin(self) -> None:
        """Returns when a document has been stored and the sleep after it has begun."""
        await self._begun.acquire()

    async def end(self) -> None:
        """Ends the sleep, and lets the publisher run until it waits again."""
        self._ended.release()
        await run_ready_callbacks()


def denoising(step: int) -> Progress:
    return Progress(phase=Phase.DENOISING, step=step, total_steps=9)


UPLOADING = Progress(phase=Phase.UPLOADING, step=9, total_steps=9)

CreatePublisher = Callable[[FakeSleep], ProgressPublisher]


@pytest.fixture
def store() -> InMemoryProgressStore:
    return InMemoryProgressStore()


@pytest.fixture
def create_publisher(store: InMemoryProgressStore) -> Iterator[CreatePublisher]:
    with ThreadPoolExecutor(1) as executor:
        yield lambda sleep: ProgressPublisher(store, "J", executor, sleep=sleep.sleep)


def storing_task() -> "asyncio.Task[Any]":
    """The publisher's task: the only one beside the test's."""
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    return task


def test_the_first_step_is_stored_at_once_then_the_latest_one_of_each_second(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_step(1, 9)
            await sleep.wait_for_begin()
            assert store.stored == [denoising(1)]
            for step in (2, 3, 4):
                publisher.on_step(step, 9)
            await run_ready_callbacks()
            assert store.stored == [denoising(1)]
            await sleep.end()
            await sleep.wait_for_begin()
            assert store.stored == [denoising(1), denoising(4)]

    run_within_limit(work())


def test_the_last_progress_is_stored_after_a_job_that_ends_during_the_sleep(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_step(8, 9)
            await sleep.wait_for_begin()
            publisher.on_step(9, 9)
            publisher.on_generated()
            task = storing_task()
        await sleep.end()
        await sleep.wait_for_begin()
        await sleep.end()
        await task
        assert store.stored == [denoising(8), UPLOADING]

    run_within_limit(work())


def test_progress_that_is_published_right_before_the_end_is_stored(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            await run_ready_callbacks()
            publisher.on_step(9, 9)
            publisher.on_generated()
            task = storing_task()
        await sleep.wait_for_begin()
        await sleep.end()
        await task
        assert store.stored == [UPLOADING]

    run_within_limit(work())


@pytest.mark.parametrize("asleep", [True, False], ids=["during the sleep", "after the sleep"])
def test_a_document_that_is_already_stored_when_the_job_ends_is_not_stored_again(
    store: InMemoryProgressStore, create_publisher: CreatePublisher, asleep: bool
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_step(9, 9)
            publisher.on_generated()
            await sleep.wait_for_begin()
            task = storing_task()
            if not asleep:
                await sleep.end()
        if asleep:
            await sleep.end()
        await task
        assert store.stored == [UPLOADING]

    run_within_limit(work())


def test_a_notification_for_a_document_that_is_already_stored_is_ignored(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    """The publisher may read the progress before its notification, which comes from another thread."""

    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_step(1, 9)
            await sleep.wait_for_begin()
            await sleep.end()
            publisher._changed.set()
            await run_ready_callbacks()
            publisher.on_step(2, 9)
            await sleep.wait_for_begin()
            assert store.stored == [denoising(1), denoising(2)]

    run_within_limit(work())


def test_a_job_without_progress_stores_nothing_and_its_task_ends(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        async with create_publisher(FakeSleep()):
            await run_ready_callbacks()
            task = storing_task()
        await task
        assert store.stored == []

    run_within_limit(work())


def test_a_job_that_fails_stores_no_more_progress(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        with suppress(ZeroDivisionError):
            async with create_publisher(sleep) as publisher:
                publisher.on_step(1, 9)
                await sleep.wait_for_begin()
                publisher.on_step(2, 9)
                task = storing_task()
                raise ZeroDivisionError
        await asyncio.wait([task])
        assert task.cancelled()
        assert store.stored == [denoising(1)]

    run_within_limit(work())


def test_on_step_may_be_called_on_another_thread(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        asyncio.get_running_loop().set_debug(True)  # it raises on calls that are not thread-safe
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            await asyncio.to_thread(publisher.on_step, 1, 9)
            await sleep.wait_for_begin()
        assert store.stored == [denoising(1)]

    run_within_limit(work())


def test_the_phase_of_a_job_that_waits_for_its_model_is_loading_model_until_its_first_step(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_model_load()
            await sleep.wait_for_begin()
            publisher.on_step(1, 9)
            await sleep.end()
            await sleep.wait_for_begin()
        loading = Progress(phase=Phase.LOADING_MODEL, step=0, total_steps=0)
        assert store.stored == [loading, denoising(1)]

    run_within_limit(work())


def test_a_stored_preview_is_named_by_all_later_documents(
    store: InMemoryProgressStore, create_publisher: CreatePublisher
) -> None:
    async def work() -> None:
        sleep = FakeSleep()
        async with create_publisher(sleep) as publisher:
            publisher.on_step(1, 9)
            await sleep.wait_for_begin()
            publisher.on_preview_stored(1)
            publisher.on_step(2, 9)
            await sleep.end()
            await sleep.wait_for_begin()
            publisher.on_step(9, 9)
            publisher.on_generated()
            task = storing_task()
        publisher.on_preview_stored(8)  # too late
        await sleep.end()
        await sleep.wait_for_begin()
        await sleep.end()
        await task
        later = [denoising(2), UPLOADING]
        assert store.stored == [
            denoising(1),
            *(each.model_copy(update={"preview_step": 1}) for each in later),
        ]

    run_within_limit(work())
