"""A client's cancelling, from the marker in S3 to the answer of the invocation."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.keys import cancellation_key
from inference.engine.interface import GenerationOutput, Inputs, OnStep
from inference.invocation.cancellation import CanceledError, CancellationWatch
from inference.invocation.running_jobs import RunningJobs
from tests.inference.conftest import Log
from tests.inference.fake_engine import BUCKET, ScriptedEngine, handler_of, wait_until


@dataclass
class Undecided(ScriptedEngine):
    """Never begins with what has a negative prompt."""

    waiting: list[Future[GenerationOutput]] = field(default_factory=list)

    def submit(self, generation: Generation, inputs: Inputs, on_step: OnStep) -> Future[GenerationOutput]:
        if not generation.negative_prompt:
            return super().submit(generation, inputs, on_step)
        self.waiting.append(Future())
        return self.waiting[-1]


@pytest.fixture
def engine() -> Undecided:
    engine = Undecided()
    engine.gate.set()
    return engine


@pytest.fixture
def client(serve: Any, s3: Any, engine: Undecided) -> httpx.Client:
    client: httpx.Client = serve(lambda: handler_of(engine, s3))
    wait_until(lambda: client.get("/ping").status_code == 200)
    return client


def invoke(client: httpx.Client, job_id: str, negative_prompt: str = "") -> httpx.Response:
    document = {"prompt": "x", "id": job_id, "negative_prompt": negative_prompt}
    return client.post("/invocations", json=document)


def cancel(s3: Any, job_id: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=cancellation_key(job_id), Body=b"")


def test_a_job_that_was_canceled_before_it_arrived_never_reaches_the_engine(
    client: httpx.Client, s3: Any, engine: Undecided
) -> None:
    job_id = new_job_id()
    cancel(s3, job_id)
    answer = invoke(client, job_id)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (409, "canceled", False)
    assert engine.calls == []


def test_a_job_that_is_canceled_leaves_the_engine_and_the_others_go_on(
    log: Log, client: httpx.Client, s3: Any, engine: Undecided
) -> None:
    canceled, other = new_job_id(), new_job_id()
    engine.gate.clear()
    with ThreadPoolExecutor() as pool:
        drawn = pool.submit(invoke, client, other)
        answer = pool.submit(invoke, client, canceled, "no squares")
        wait_until(lambda: len(engine.waiting) == len(engine.calls) == 1)
        cancel(s3, canceled)
        assert answer.result(20).json()["code"] == "canceled"
        assert engine.waiting[0].cancelled()
        assert not drawn.done()
        engine.gate.set()
        assert drawn.result(20).status_code == 200
    ends = {line["job_id"]: (line["Failures"], line.get("error_code")) for line in log.with_("Failures")}
    assert ends == {canceled: ([0], "canceled"), other: ([0], None)}


class Markers:
    """Answers looks with what a test puts in; counts them."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.looks = 0

    def is_canceled(self, job_id: str) -> bool:
        self.looks += 1
        return self.answers.pop(0)


async def waiting_under(watch: CancellationWatch) -> None:
    async with RunningJobs().interruptible() as interruption, watch.over("J", interruption):
        await asyncio.Event().wait()


def test_the_marker_is_looked_for_once_a_second() -> None:
    markers, pauses = Markers(False, False, True), []

    async def sleep(seconds: float) -> None:
        pauses.append((markers.looks, seconds))

    with pytest.raises(CanceledError):
        asyncio.run(waiting_under(CancellationWatch(markers, sleep=sleep)))
    assert pauses == [(1, 1), (2, 1)]


def test_the_looking_stops_with_the_job() -> None:
    async def work() -> None:
        asleep = asyncio.Event()

        async def sleep(_seconds: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

        watch = CancellationWatch(Markers(False), sleep=sleep)
        async with RunningJobs().interruptible() as interruption, watch.over("J", interruption):
            await asleep.wait()
        (looking,) = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait([looking])
        assert looking.cancelled()

    asyncio.run(work())


def test_a_job_does_not_wait_for_an_answer_that_does_not_come() -> None:
    answered = threading.Event()

    class Silent(Markers):
        def is_canceled(self, job_id: str) -> bool:
            answered.wait(20)
            return super().is_canceled(job_id)

    async def work() -> None:
        markers = Silent(False)
        async with (
            RunningJobs().interruptible() as interruption,
            CancellationWatch(markers).over("J", interruption),
        ):
            assert markers.looks == 0
        answered.set()

    asyncio.run(work())
