"""Cancellation of a job by its client, from the marker in S3 to the response."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.keys import cancellation_key
from inference.engine.interface import Callbacks, GenerationOutput, Inputs
from inference.invocation.cancellation import CanceledError, CancellationWatch
from inference.invocation.running_jobs import RunningJobs
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET, FakeEngine, create_handler
from tests.inference.invocation.coroutines import run_within_limit, wait_forever
from tests.waiting import LIMIT_S, wait_until


@dataclass
class PendingEngine(FakeEngine):
    """Leaves the futures of generations with a negative prompt pending."""

    pending: list[Future[GenerationOutput]] = field(default_factory=list)

    def submit(
        self, generation: Generation, inputs: Inputs, callbacks: Callbacks
    ) -> Future[GenerationOutput]:
        if not generation.negative_prompt:
            return super().submit(generation, inputs, callbacks)
        self.pending.append(Future())
        return self.pending[-1]


@pytest.fixture
def engine() -> PendingEngine:
    engine = PendingEngine()
    engine.gate.set()
    return engine


@pytest.fixture
def client(serve: Any, s3: Any, engine: PendingEngine) -> httpx.Client:
    client: httpx.Client = serve(lambda: create_handler(engine, s3))
    wait_until(lambda: client.get("/ping").status_code == 200)
    return client


def invoke(client: httpx.Client, job_id: str, negative_prompt: str = "") -> httpx.Response:
    document = {"prompt": "x", "id": job_id, "negative_prompt": negative_prompt}
    return client.post("/invocations", json=document)


def cancel(s3: Any, job_id: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=cancellation_key(job_id), Body=b"")


def test_a_job_canceled_before_its_invocation_is_not_submitted_to_the_engine(
    client: httpx.Client, s3: Any, engine: PendingEngine
) -> None:
    job_id = new_job_id()
    cancel(s3, job_id)
    response = invoke(client, job_id)
    problem = response.json()
    assert (response.status_code, problem["code"], problem["retryable"]) == (409, "canceled", False)
    assert engine.calls == []


def test_canceling_a_job_cancels_its_generation_and_no_other(
    log: Log, client: httpx.Client, s3: Any, engine: PendingEngine
) -> None:
    canceled, other = new_job_id(), new_job_id()
    engine.gate.clear()
    with ThreadPoolExecutor() as pool:
        other_response = pool.submit(invoke, client, other)
        canceled_response = pool.submit(invoke, client, canceled, "no squares")
        wait_until(lambda: len(engine.pending) == len(engine.calls) == 1)
        cancel(s3, canceled)
        assert canceled_response.result(LIMIT_S).json()["code"] == "canceled"
        assert engine.pending[0].cancelled()
        assert not other_response.done()
        engine.gate.set()
        assert other_response.result(LIMIT_S).status_code == 200
    lines = log.lines_with("Failures")
    ends = {line["job_id"]: (line["message"], line["Failures"], line.get("error_code")) for line in lines}
    assert ends == {canceled: ("job canceled", [0], "canceled"), other: ("job succeeded", [0], None)}


class FakeMarkers:
    """Returns the given results, one for each poll, and counts the polls."""

    def __init__(self, *results: bool) -> None:
        self.results = list(results)
        self.polls = 0

    def is_canceled(self, job_id: str) -> bool:
        assert job_id == "J"
        self.polls += 1
        return self.results.pop(0)


class BlockedMarkers(FakeMarkers):
    """Polls block until `released` is set; `started` is set when the first one begins."""

    def __init__(self, *results: bool) -> None:
        super().__init__(*results)
        self.started = threading.Event()
        self.released = threading.Event()

    def is_canceled(self, job_id: str) -> bool:
        self.started.set()
        assert self.released.wait(LIMIT_S), "the test did not release the poll"
        return super().is_canceled(job_id)


async def sleep_forever(_seconds: float) -> None:
    await wait_forever()


async def watched(watch: CancellationWatch, block: Coroutine[Any, Any, Any]) -> None:
    async with RunningJobs().cancel_scope() as scope, watch.watch("J", scope):
        await block


def test_the_marker_is_polled_once_a_second_until_it_exists() -> None:
    markers, sleeps = FakeMarkers(False, False, True), []

    async def sleep(seconds: float) -> None:
        sleeps.append((markers.polls, seconds))

    with pytest.raises(CanceledError, match="canceled before its images were generated"):
        run_within_limit(watched(CancellationWatch(markers, sleep=sleep), wait_forever()))
    assert sleeps == [(1, 1), (2, 1)]


def test_the_block_starts_after_the_first_poll_and_not_before() -> None:
    markers = BlockedMarkers(False)

    async def work() -> None:
        started = asyncio.Event()

        async def block() -> None:
            started.set()

        watch = CancellationWatch(markers, first_poll_timeout_s=2 * LIMIT_S, sleep=sleep_forever)
        job = asyncio.create_task(watched(watch, block()))
        await asyncio.to_thread(markers.started.wait, LIMIT_S)
        assert not started.is_set()
        markers.released.set()
        await started.wait()
        assert markers.polls == 1
        await job

    run_within_limit(work())


def test_the_block_of_a_job_that_is_already_canceled_does_not_start() -> None:
    started = False

    async def block() -> None:
        nonlocal started
        started = True

    async def work() -> None:
        watch = CancellationWatch(FakeMarkers(True), first_poll_timeout_s=2 * LIMIT_S)
        coroutine = block()
        try:
            await watched(watch, coroutine)
        finally:
            coroutine.close()

    with pytest.raises(CanceledError):
        run_within_limit(work())
    assert not started


def test_the_block_starts_without_the_first_poll_after_its_timeout_and_can_still_be_canceled() -> None:
    markers = BlockedMarkers(True)

    async def block() -> None:
        assert markers.polls == 0
        markers.released.set()
        await wait_forever()

    with pytest.raises(CanceledError):
        run_within_limit(watched(CancellationWatch(markers, first_poll_timeout_s=0), block()))
    assert markers.polls == 1


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_polling_ends_with_the_block(error: Exception | None) -> None:
    async def work() -> None:
        sleeping = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            sleeping.set()
            await wait_forever()

        watch = CancellationWatch(FakeMarkers(False), sleep=sleep)
        with suppress(ZeroDivisionError):
            async with RunningJobs().cancel_scope() as scope, watch.watch("J", scope):
                await sleeping.wait()
                (polling,) = asyncio.all_tasks() - {asyncio.current_task()}
                if error is not None:
                    raise error
        await asyncio.wait([polling])
        assert polling.cancelled()

    run_within_limit(work())
