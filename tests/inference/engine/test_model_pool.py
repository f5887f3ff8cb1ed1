"""The model pool: loading on demand, failed loads and shutdown."""

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from inference.engine.errors import EngineClosedError, ModelUnavailableError
from inference.engine.interface import Callbacks, GenerationOutput
from inference.engine.model_pool import ModelPool
from inference.observability.logs import bind_job
from tests.inference.conftest import Log
from tests.inference.engine.pool_harness import (
    FakeLoader,
    UpscalingEngine,
    submit,
)
from tests.waiting import LIMIT_S, wait_until


def test_the_first_model_is_loaded_at_once_and_others_when_they_are_first_used(
    pool: ModelPool, loader: FakeLoader
) -> None:
    loader.gate.set()
    assert loader.loads == ["first"]
    for model in ("first", "anime", "first", "photo", "anime"):
        submit(pool, model).result(LIMIT_S)
    assert loader.loads == ["first", "anime", "photo"]
    models = {name: [call[0].model for call in engine.calls] for name, engine in loader.engines.items()}
    assert models == {"first": ["first"] * 2, "anime": ["anime"] * 2, "photo": ["photo"]}
    assert pool.versions == {"fake": "1"}


def test_a_loaded_model_generates_while_another_one_is_being_loaded(
    pool: ModelPool, loader: FakeLoader
) -> None:
    waiting = submit(pool, "anime")
    submit(pool, "first").result(LIMIT_S)
    assert not waiting.done()
    loader.gate.set()
    assert waiting.result(LIMIT_S).images


def test_requests_that_wait_for_the_same_model_load_it_once(pool: ModelPool, loader: FakeLoader) -> None:
    waiting = [submit(pool, "anime") for _ in range(8)]
    loader.gate.set()
    assert all(each.result(LIMIT_S).images for each in waiting)
    assert loader.loads == ["first", "anime"]


def test_a_failed_load_fails_the_requests_for_the_model_and_is_tried_again(
    pool: ModelPool, loader: FakeLoader, log: Log
) -> None:
    loader.gate.set()
    loader.error = OSError("no such file: /secret")
    bind_job("J")
    failed = submit(pool, "anime")
    with pytest.raises(
        ModelUnavailableError, match="The model 'anime' could not be loaded; see the"
    ) as raised:
        failed.result(LIMIT_S)
    assert raised.value.__cause__ is loader.error
    (line,) = log.lines
    assert (line["level"], line["job_id"]) == ("ERROR", "J")
    assert "no such file: /secret" in line["exception"]
    loader.error = None
    for model in ("first", "anime"):
        assert submit(pool, model).result(LIMIT_S).images


def test_an_error_of_an_engine_is_passed_on(pool: ModelPool, loader: FakeLoader) -> None:
    waiting = submit(pool, "anime")
    loader.generation_error = ValueError("broken")
    loader.gate.set()
    with pytest.raises(ValueError, match="broken"):
        waiting.result(LIMIT_S)


def test_a_request_cancelled_during_the_load_is_not_submitted(pool: ModelPool, loader: FakeLoader) -> None:
    other, cancelled = (submit(pool, "anime") for _ in range(2))
    assert cancelled.cancel()
    loader.gate.set()
    assert other.result(LIMIT_S).images
    with pytest.raises(CancelledError):
        cancelled.result(LIMIT_S)
    assert len(loader.engines["anime"].calls) == 1


class PendingOutput:
    """Replaces `submit`: returns `future`, which the test completes."""

    def __init__(self) -> None:
        self.future: Future[GenerationOutput] = Future()
        self.submitted = threading.Event()

    def submit(self, *_arguments: object) -> Future[GenerationOutput]:
        self.submitted.set()
        return self.future


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> PendingOutput:
    pending = PendingOutput()
    monkeypatch.setattr(UpscalingEngine, "submit", pending.submit)
    return pending


def test_a_request_cancelled_after_the_load_is_cancelled_on_its_engine(
    pool: ModelPool, loader: FakeLoader, pending: PendingOutput
) -> None:
    output = submit(pool, "anime")
    loader.gate.set()
    assert pending.submitted.wait(LIMIT_S)
    assert output.cancel()
    wait_until(pending.future.cancelled)


def test_the_result_of_a_request_that_was_cancelled_too_late_is_dropped_silently(
    pool: ModelPool, loader: FakeLoader, pending: PendingOutput, log: Log
) -> None:
    pending.future.set_running_or_notify_cancel()
    output = submit(pool, "anime")
    loader.gate.set()
    assert pending.submitted.wait(LIMIT_S)
    assert output.cancel()
    pending.future.set_result(GenerationOutput(images=(), batch_size=1, seconds=1.0))
    assert output.cancelled()
    assert log.text == ""


def test_an_engine_that_is_closed_before_the_waiting_requests_are_submitted_fails_them(
    pool: ModelPool, loader: FakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> Future[GenerationOutput]:
        raise EngineClosedError("closed")

    monkeypatch.setattr(UpscalingEngine, "submit", refuse)
    output = submit(pool, "anime")
    loader.gate.set()
    with pytest.raises(EngineClosedError):
        output.result(LIMIT_S)


def test_on_step_is_called_if_the_model_was_loaded_for_the_request(
    pool: ModelPool, loader: FakeLoader
) -> None:
    loader.gate.set()
    steps: list[tuple[int, int]] = []
    callbacks = Callbacks(lambda done, total: steps.append((done, total)))
    submit(pool, "anime", callbacks).result(LIMIT_S)
    assert steps == [(1, 2), (2, 2)]


def test_requests_that_wait_for_their_model_are_notified_and_later_ones_are_not(
    pool: ModelPool, loader: FakeLoader
) -> None:
    events: list[str] = []

    def callbacks(name: str) -> Callbacks:
        return Callbacks(
            lambda done, total: events.append(f"{name} step {done}"), lambda: events.append(f"{name} loading")
        )

    waiting = [submit(pool, "anime", callbacks(name)) for name in ("a", "b")]
    assert events == ["a loading", "b loading"]
    loader.gate.set()
    for each in waiting:
        each.result(LIMIT_S)
    submit(pool, "anime", callbacks("c")).result(LIMIT_S)
    submit(pool, "first", callbacks("d")).result(LIMIT_S)
    assert [event for event in events if "loading" in event] == ["a loading", "b loading"]
    assert {"a step 1", "b step 1", "c step 1", "d step 2"} <= set(events)


def test_check_fails_if_an_engine_accepts_no_more_requests(pool: ModelPool, loader: FakeLoader) -> None:
    loader.gate.set()
    submit(pool, "anime").result(LIMIT_S)
    pool.check()
    loader.engines["anime"].close()
    with pytest.raises(EngineClosedError):
        pool.check()


def test_closing_finishes_the_running_load_and_its_requests_and_rejects_all_others(
    pool: ModelPool, loader: FakeLoader
) -> None:
    loading, queued = (submit(pool, model) for model in ("anime", "photo"))
    wait_until(lambda: "anime" in loader.loads)
    with ThreadPoolExecutor() as threads:
        closing = threads.submit(pool.close)
        with pytest.raises(EngineClosedError):
            queued.result(LIMIT_S)
        with pytest.raises(EngineClosedError):
            pool.check()
        with pytest.raises(EngineClosedError):
            submit(pool, "first")
        loader.gate.set()
        closing.result(LIMIT_S)
    assert loading.result(LIMIT_S).images
    assert all(engine.closed for engine in loader.engines.values())
    assert "photo" not in loader.loads
