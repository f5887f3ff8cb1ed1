"""Several models behind one engine, each loaded when it is first asked for."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from contract.generation import Generation
from contract.model import ModelDeclaration
from inference.engine.errors import EngineClosedError, ModelUnavailableError
from inference.engine.interface import Inputs
from inference.engine.model_pool import ModelPool
from inference.observability.logs import bind_job
from tests.inference.conftest import Log
from tests.inference.fake_engine import FakeEngine
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S, wait_until


class Loader:
    """Gives scripted engines, or raises `error` if there is one; for companions only when `gate` is open.

    Engines that are loaded while there is a `failing` raise that when they draw.
    """

    def __init__(self) -> None:
        self.engines: dict[str, FakeEngine] = {}
        self.loads: list[str] = []
        self.gate = threading.Event()
        self.error: Exception | None = None
        self.failing: Exception | None = None

    def __call__(self, model: str) -> FakeEngine:
        self.loads.append(model)
        if model != "first":
            assert self.gate.wait(LIMIT_S), "the test never opened the gate"
        if self.error is not None:
            raise self.error
        self.engines[model] = FakeEngine(error=self.failing)
        self.engines[model].gate.set()
        return self.engines[model]


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def pool(loader: Loader) -> Iterator[ModelPool]:
    pool = ModelPool(loader, first="first", weigh=lambda model: 1)
    yield pool
    loader.gate.set()
    pool.close()


def generation(model: str) -> Generation:
    return generation_of(model=ModelDeclaration(name=model), width=64, height=64, steps=2)


def silent(step: int, total: int) -> None:
    pass


def test_the_first_model_is_there_at_once_and_companions_when_they_are_asked_for(
    pool: ModelPool, loader: Loader
) -> None:
    loader.gate.set()
    assert loader.loads == ["first"]
    for model in ("first", "anime", "first", "photo", "anime"):
        pool.submit(generation(model), Inputs(), silent).result(LIMIT_S)
    assert loader.loads == ["first", "anime", "photo"]
    drawn = {name: [call[0].model for call in engine.calls] for name, engine in loader.engines.items()}
    assert drawn == {"first": ["first"] * 2, "anime": ["anime"] * 2, "photo": ["photo"]}
    assert pool.versions == {"fake": "1"}


def test_while_one_model_is_loaded_another_draws(pool: ModelPool, loader: Loader) -> None:
    waiting = pool.submit(generation("anime"), Inputs(), silent)
    pool.submit(generation("first"), Inputs(), silent).result(LIMIT_S)
    assert not waiting.done()
    loader.gate.set()
    assert waiting.result(LIMIT_S).images


def test_requests_that_wait_for_one_model_load_it_once(pool: ModelPool, loader: Loader) -> None:
    waiting = [pool.submit(generation("anime"), Inputs(), silent) for _ in range(8)]
    loader.gate.set()
    assert all(each.result(LIMIT_S).images for each in waiting)
    assert loader.loads == ["first", "anime"]


def test_a_model_that_cannot_be_loaded_fails_its_jobs_alone_and_is_tried_again(
    pool: ModelPool, loader: Loader, log: Log
) -> None:
    loader.gate.set()
    loader.error = OSError("no such file: /secret")
    bind_job("J")
    failed = pool.submit(generation("anime"), Inputs(), silent)
    with pytest.raises(ModelUnavailableError, match="The model 'anime' could not be loaded; the container's"):
        failed.result(LIMIT_S)
    (line,) = log.lines
    assert (line["level"], line["job_id"]) == ("ERROR", "J")
    assert "no such file: /secret" in line["exception"]
    loader.error = None
    for model in ("first", "anime"):
        assert pool.submit(generation(model), Inputs(), silent).result(LIMIT_S).images


def test_what_an_engine_fails_of_is_passed_on(pool: ModelPool, loader: Loader) -> None:
    waiting = pool.submit(generation("anime"), Inputs(), silent)
    loader.failing = ValueError("broken")
    loader.gate.set()
    with pytest.raises(ValueError, match="broken"):
        waiting.result(LIMIT_S)


def test_a_job_that_is_canceled_while_its_model_is_loaded_is_not_drawn(
    pool: ModelPool, loader: Loader
) -> None:
    kept, canceled = (pool.submit(generation("anime"), Inputs(), silent) for _ in range(2))
    assert canceled.cancel()
    loader.gate.set()
    assert kept.result(LIMIT_S).images
    with pytest.raises(CancelledError):
        canceled.result(LIMIT_S)


def test_steps_are_heard_of_in_the_callers_context(pool: ModelPool, loader: Loader) -> None:
    loader.gate.set()
    heard: list[tuple[int, int]] = []
    pool.submit(generation("anime"), Inputs(), lambda step, total: heard.append((step, total))).result(
        LIMIT_S
    )
    assert heard == [(1, 2), (2, 2)]


def test_a_pool_with_an_engine_that_takes_nothing_more_says_so(pool: ModelPool, loader: Loader) -> None:
    loader.gate.set()
    pool.submit(generation("anime"), Inputs(), silent).result(LIMIT_S)
    pool.check()
    loader.engines["anime"].close()
    with pytest.raises(EngineClosedError):
        pool.check()


def test_a_pool_that_closes_draws_what_it_has_taken_and_takes_no_more(
    pool: ModelPool, loader: Loader
) -> None:
    taken, not_begun = (pool.submit(generation(model), Inputs(), silent) for model in ("anime", "photo"))
    wait_until(lambda: "anime" in loader.loads)
    with ThreadPoolExecutor() as threads:
        closing = threads.submit(pool.close)
        with pytest.raises(EngineClosedError):
            not_begun.result(LIMIT_S)
        with pytest.raises(EngineClosedError):
            pool.check()
        with pytest.raises(EngineClosedError):
            pool.submit(generation("first"), Inputs(), silent)
        loader.gate.set()
        closing.result(LIMIT_S)
    assert taken.result(LIMIT_S).images
    assert all(engine.closed for engine in loader.engines.values())
    assert "photo" not in loader.loads


@pytest.fixture
def narrow(loader: Loader) -> Iterator[ModelPool]:
    """A pool with room for two models of ordinary size."""
    loader.gate.set()
    pool = ModelPool(loader, first="first", weigh=lambda model: 2 if model == "giant" else 1, budget_bytes=2)
    yield pool
    pool.close()


def test_where_room_is_scarce_the_model_that_was_not_asked_for_the_longest_leaves(
    narrow: ModelPool, loader: Loader
) -> None:
    engines = loader.engines
    for model in ("anime", "first", "photo"):
        narrow.submit(generation(model), Inputs(), silent).result(LIMIT_S)
    assert {name: engine.closed for name, engine in engines.items()} == {
        "first": False,
        "anime": True,
        "photo": False,
    }
    narrow.submit(generation("anime"), Inputs(), silent).result(LIMIT_S)
    assert loader.loads == ["first", "anime", "photo", "anime"]
    assert engines["first"].closed


def test_a_model_that_needs_all_the_room_gets_it(narrow: ModelPool, loader: Loader) -> None:
    narrow.submit(generation("anime"), Inputs(), silent).result(LIMIT_S)
    narrow.submit(generation("giant"), Inputs(), silent).result(LIMIT_S)
    assert loader.engines["first"].closed
    assert loader.engines["anime"].closed
    narrow.check()


def test_models_that_push_each_other_out_answer_every_request(narrow: ModelPool, loader: Loader) -> None:
    asked = [generation(model) for _ in range(3) for model in ("first", "anime", "photo", "giant")]
    futures = [narrow.submit(each, Inputs(), silent) for each in asked]
    assert all(len(future.result(LIMIT_S).images) == 1 for future in futures)
