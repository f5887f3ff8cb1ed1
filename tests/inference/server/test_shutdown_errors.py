"""The error of jobs that a shutdown ends, in every phase of a job: the API submits such jobs again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.model import ModelDeclaration, ServedModel
from contract.problem import ErrorCode, ProblemError
from inference.data_bucket import DataBucket
from inference.engine.model_pool import ModelPool
from inference.input.image_sources import ImageSources
from inference.invocation.handler import InvocationHandler
from inference.output.postprocessing import Postprocessor
from tests.inference.engine.pool_harness import FakeLoader
from tests.inference.fake_engine import ENVIRONMENT, FakeEngine, create_handler
from tests.inference.invocation.coroutines import run_within_limit
from tests.waiting import LIMIT_S


class Block:
    """A call that blocks until the test has ended; `reached` is set when it is made."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()

    def __call__(self, *_arguments: Any, **_options: Any) -> None:
        self.reached.set()
        self.released.wait(LIMIT_S)


@pytest.fixture
def block() -> Iterator[Block]:
    block = Block()
    yield block
    block.released.set()


def fetching(block: Block, s3: Any, monkeypatch: pytest.MonkeyPatch) -> InvocationHandler:
    monkeypatch.setattr(ImageSources, "fetch", block)
    return create_handler(FakeEngine(), s3)


def loading_a_model(block: Block, s3: Any, monkeypatch: pytest.MonkeyPatch) -> InvocationHandler:
    loader = FakeLoader()

    def load(name: str) -> FakeEngine:
        if name != "first":
            block()
        loader.gate.set()
        return loader(name)

    environment = ENVIRONMENT.model_copy(
        update={
            "model": ModelDeclaration(name="first"),
            "companions": (ServedModel(name="second"),),
        }
    )
    pool = ModelPool(load, first="first", weight_bytes=lambda _name: 1)
    return create_handler(pool, s3, environment)


def generating(block: Block, s3: Any, monkeypatch: pytest.MonkeyPatch) -> InvocationHandler:
    engine = FakeEngine()
    monkeypatch.setattr(engine, "_generate", block)
    return create_handler(engine, s3)


def finishing(block: Block, s3: Any, monkeypatch: pytest.MonkeyPatch) -> InvocationHandler:
    engine = FakeEngine()
    engine.gate.set()
    monkeypatch.setattr(Postprocessor, "finish", block)
    return create_handler(engine, s3)


def storing(block: Block, s3: Any, monkeypatch: pytest.MonkeyPatch) -> InvocationHandler:
    engine = FakeEngine()
    engine.gate.set()
    monkeypatch.setattr(DataBucket, "store_image", block)
    return create_handler(engine, s3)


REQUESTS = {
    fetching: b'{"prompt": "x", "input_image": "s3://data/inputs/a.png"}',
    loading_a_model: b'{"prompt": "x", "model": "second"}',
}


@pytest.mark.parametrize("phase", [fetching, loading_a_model, generating, finishing, storing])
def test_a_job_that_a_shutdown_ends_fails_with_endpoint_unavailable_in_every_phase(
    phase: Callable[[Block, Any, pytest.MonkeyPatch], InvocationHandler],
    block: Block,
    s3: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = phase(block, s3, monkeypatch)

    async def work() -> ProblemError:
        job = asyncio.create_task(handler.handle(REQUESTS.get(phase, b'{"prompt": "x"}')))
        await asyncio.to_thread(block.reached.wait, LIMIT_S)
        assert block.reached.is_set()
        await handler._running_jobs.drain(timeout_s=0, grace_s=0)
        with pytest.raises(ProblemError) as late:
            await handler.handle(b'{"prompt": "x"}')
        assert late.value.code is ErrorCode.ENDPOINT_UNAVAILABLE
        with pytest.raises(ProblemError) as raised:
            await job
        block.released.set()
        return raised.value

    problem = run_within_limit(work()).problem()
    assert (problem.code, problem.retryable) == (ErrorCode.ENDPOINT_UNAVAILABLE, True)
