"""The engine thread: order of tasks, closing, cancellation and failures."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar

import diffusers
import pytest
import torch
import transformers
from PIL import Image

from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.errors import EngineClosedError
from inference.engine.interface import Callbacks, GenerationOutput, Inputs
from tests.inference.conftest import Log
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S, wait_until


class FakeWorker:
    """Completes one task a step.

    Attributes:
        gate: steps block until it is set; set by default.
        stepping: set once a step has begun.
        queue: tasks that have not been completed.
        threads: names of the threads that have called `step`.
        error: raised by `step`, unless None.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.stepping = threading.Event()
        self.queue: list[GenerationTask] = []
        self.threads: set[str] = set()
        self.error: BaseException | None = None

    @property
    def has_unfinished_requests(self) -> bool:
        return bool(self.queue)

    @property
    def has_room(self) -> bool:
        return True

    def add_request(self, task: GenerationTask) -> None:
        self.queue.append(task)

    def step(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.stepping.set()
        assert self.gate.wait(LIMIT_S)
        if self.error is not None:
            raise self.error
        task = self.queue.pop(0)
        task.report_step(1, batch_size=1)
        task.complete_image(0, lambda: Image.new("RGB", (8, 8)))


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def engine(worker: FakeWorker) -> Iterator[EngineThread]:
    engine = EngineThread(worker, UpscalingLoop(torch.device("cpu")))
    yield engine
    worker.gate.set()
    engine.close()


def submit(
    engine: EngineThread, on_step: Callable[[int, int], None] = lambda done, total: None
) -> Future[GenerationOutput]:
    return engine.submit(generation_of(), Inputs(), Callbacks(on_step))


def test_selected_kernels_are_recorded_with_the_versions() -> None:
    upscaling = UpscalingLoop(torch.device("cpu"))
    engine = EngineThread(FakeWorker(), upscaling, kernels={"attention": "cudnn"})
    assert engine.versions == {
        "diffusers": diffusers.__version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "attention": "cudnn",
    }
    engine.close()


def test_all_tasks_run_on_one_thread(engine: EngineThread, worker: FakeWorker) -> None:
    for future in [submit(engine) for _ in range(3)]:
        assert len(future.result(LIMIT_S).images) == 1
    assert worker.threads == {"engine"}


def test_closing_finishes_queued_tasks_and_refuses_new_ones(engine: EngineThread, worker: FakeWorker) -> None:
    worker.gate.clear()
    futures = [submit(engine) for _ in range(3)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    wait_until(lambda: engine._closed)
    with pytest.raises(EngineClosedError, match="another container") as caught:
        submit(engine)
    assert caught.value.problem().retryable
    worker.gate.set()
    closing.join(LIMIT_S)
    assert all(future.result(0) for future in futures)


def test_a_task_that_is_cancelled_in_the_queue_is_never_started(
    engine: EngineThread, worker: FakeWorker
) -> None:
    worker.gate.clear()
    first = submit(engine)
    assert worker.stepping.wait(LIMIT_S)
    second = submit(engine)
    assert second.cancel()
    worker.gate.set()
    engine.close()
    assert first.done()
    assert worker.queue == []


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit()], ids=["error", "exit"])
def test_when_the_thread_ends_all_tasks_fail_and_new_ones_are_refused(
    log: Log, engine: EngineThread, worker: FakeWorker, error: BaseException
) -> None:
    worker.gate.clear()
    worker.error = error
    first = submit(engine)
    assert worker.stepping.wait(LIMIT_S)
    second = submit(engine)
    worker.gate.set()
    for future in (first, second):
        assert isinstance(future.exception(LIMIT_S), EngineClosedError)
    with pytest.raises(EngineClosedError):
        submit(engine)
    with pytest.raises(EngineClosedError):
        engine.check()
    assert [line["message"] for line in log.lines_with("exception")] == ["the engine thread has ended"]


def test_on_step_runs_in_the_callers_context(engine: EngineThread) -> None:
    request_id: ContextVar[str] = ContextVar("request_id", default="unset")
    request_id.set("caller's")
    seen: list[str] = []
    submit(engine, lambda done, total: seen.append(request_id.get())).result(LIMIT_S)
    assert seen == ["caller's"]
