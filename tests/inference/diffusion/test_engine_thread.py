"""The thread that owns the device: what it takes it finishes, and it cannot end unnoticed."""

import threading
from concurrent.futures import Future
from contextvars import ContextVar

import pytest
import torch
from PIL import Image

from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.errors import EngineClosedError
from inference.engine.interface import GenerationOutput, Inputs
from tests.inference.conftest import Log
from tests.inference.generations import generation_of


class Painter:
    """Draws one task a turn, when `gate` is open; what it is told to break, breaks."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.turning = threading.Event()
        self.waiting: list[GenerationTask] = []
        self.threads: set[str] = set()
        self.fault: BaseException | None = None

    @property
    def has_unfinished_requests(self) -> bool:
        return bool(self.waiting)

    def add_request(self, task: GenerationTask) -> None:
        self.waiting.append(task)

    def step(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.turning.set()
        assert self.gate.wait(20)
        if self.fault is not None:
            raise self.fault
        task = self.waiting.pop(0)
        task.report_step(1, batch_size=1)
        task.complete_image(0, lambda: Image.new("RGB", (8, 8)))


@pytest.fixture
def painter() -> Painter:
    return Painter()


def submit(engine: EngineThread) -> Future[GenerationOutput]:
    return engine.submit(generation_of(), Inputs(), lambda done, total: None)


def test_all_work_is_done_on_one_thread(painter: Painter) -> None:
    engine = EngineThread(painter, UpscalingLoop(torch.device("cpu")))
    for future in [submit(engine) for _ in range(3)]:
        assert len(future.result(10).images) == 1
    engine.close()
    assert painter.threads == {"engine"}


def test_closing_finishes_what_was_taken_and_takes_no_more(painter: Painter) -> None:
    painter.gate.clear()
    engine = EngineThread(painter, UpscalingLoop(torch.device("cpu")))
    futures = [submit(engine) for _ in range(3)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    while not engine._closed:
        threading.Event().wait(0.01)
    with pytest.raises(EngineClosedError, match="another container") as refused:
        submit(engine)
    assert refused.value.problem().retryable
    painter.gate.set()
    closing.join(10)
    assert all(future.result(0) for future in futures)
    engine.close()


def test_what_is_cancelled_before_its_turn_is_never_begun(painter: Painter) -> None:
    painter.gate.clear()
    engine = EngineThread(painter, UpscalingLoop(torch.device("cpu")))
    first = submit(engine)
    assert painter.turning.wait(10)
    second = submit(engine)
    assert second.cancel()
    painter.gate.set()
    engine.close()
    assert first.done()
    assert painter.waiting == []


@pytest.mark.parametrize("fault", [RuntimeError("broken"), SystemExit()], ids=["error", "exit"])
def test_the_thread_does_not_end_unnoticed(log: Log, painter: Painter, fault: BaseException) -> None:
    painter.gate.clear()
    painter.fault = fault
    engine = EngineThread(painter, UpscalingLoop(torch.device("cpu")))
    first = submit(engine)
    assert painter.turning.wait(10)
    second = submit(engine)
    painter.gate.set()
    for future in (first, second):
        assert isinstance(future.exception(10), EngineClosedError)
    with pytest.raises(EngineClosedError):
        submit(engine)
    with pytest.raises(EngineClosedError):
        engine.check()
    engine.close()
    assert [line["message"] for line in log.with_("exception")] == ["the engine thread has ended"]


def test_a_listener_hears_in_the_context_of_its_client(painter: Painter) -> None:
    whose: ContextVar[str] = ContextVar("whose", default="nobody's")
    heard: list[str] = []
    engine = EngineThread(painter, UpscalingLoop(torch.device("cpu")))
    whose.set("mine")
    engine.submit(generation_of(), Inputs(), lambda done, total: heard.append(whose.get())).result(10)
    engine.close()
    assert heard == ["mine"]
