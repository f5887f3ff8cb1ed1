"""The recorders of calls, with and without CUDA, do what the graphed UNet relies on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch

from inference.diffusion.modules.cuda_graphs import CudaGraphs, GraphRecorder
from tests.inference.diffusion.modules.fake_graphs import FakeGraphs

_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


class Subject:
    def __init__(self, device: str) -> None:
        self.weight = torch.full((2, 2), 3.0, device=device)
        self.constant = 1.0


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=_CUDA)])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    with torch.inference_mode():
        yield request.param


@pytest.fixture
def subject(device: str) -> Subject:
    return Subject(device)


@pytest.fixture
def recorder(device: str, subject: Subject) -> GraphRecorder:
    return CudaGraphs(torch.device(device)) if device == "cuda" else FakeGraphs(subject)


@pytest.fixture
def call(device: str, subject: Subject) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda inputs: inputs @ subject.weight + subject.constant


def test_a_replay_reads_what_the_tensors_contain_now_with_the_constants_and_addresses_of_then(
    device: str, subject: Subject, recorder: GraphRecorder, call: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    inputs = torch.ones(2, 2, device=device)
    recording = recorder.record(lambda: call(inputs))
    assert torch.equal(recording.replay().cpu(), torch.full((2, 2), 7.0))
    inputs.fill_(2.0)
    subject.weight.fill_(1.0)
    assert torch.equal(recording.replay().cpu(), torch.full((2, 2), 5.0))
    original, subject.weight, subject.constant = subject.weight, torch.zeros(2, 2, device=device), 9.0
    assert torch.equal(recording.replay().cpu(), torch.full((2, 2), 5.0))
    del original


def test_recordings_can_be_replayed_in_any_order_and_released_one_by_one(
    device: str, recorder: GraphRecorder, call: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    rows = [torch.full((number, 2), float(number), device=device) for number in (1, 2, 3)]
    recordings = [recorder.record(lambda inputs=inputs: call(inputs)) for inputs in rows]
    recordings.pop(1).release()
    for index in (1, 0, 1):
        inputs = rows[(0, 2)[index]]
        assert torch.equal(recordings[index].replay().cpu(), call(inputs).cpu())


def test_a_call_that_cannot_be_recorded_leaves_the_recorder_usable(
    device: str, recorder: GraphRecorder, call: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    inputs = torch.ones(2, 2, device=device)
    before, calls = current_stream(device), []

    def fail() -> torch.Tensor:
        calls.append(call(inputs).sum().item())  # waits for the device, which a capture does not allow
        raise ValueError("cannot be recorded")

    with pytest.raises((ValueError, RuntimeError)):
        recorder.record(fail)
    assert current_stream(device) == before
    assert torch.equal(recorder.record(lambda: call(inputs)).replay().cpu(), torch.full((2, 2), 7.0))


def test_a_measured_call_gives_its_result(
    device: str, recorder: GraphRecorder, call: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    result, needed = recorder.measure(lambda: call(torch.ones(2, 2, device=device)))
    assert torch.equal(result.cpu(), torch.full((2, 2), 7.0))
    assert (needed > 0) == (device == "cuda")
    assert recorder.free_bytes() > 0


def current_stream(device: str) -> object:
    return torch.cuda.current_stream() if device == "cuda" else None


class FakeCuda:
    """Records what is done to streams and graphs, in place of `torch.cuda`.

    Attributes:
        events: in order.
        ends_with: raised when a capture ends, unless None.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        self.ends_with: Exception | None = None
        self._current = ["default"]

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        names = ("Stream", "CUDAGraph", "current_stream", "graph", "graph_pool_handle", "stream")
        for name in names:
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))

    def Stream(self, _device: torch.device) -> "FakeStream":  # noqa: N802
        return FakeStream("side", self.events)

    def CUDAGraph(self) -> object:  # noqa: N802
        return object()

    def graph_pool_handle(self) -> str:
        return "pool"

    def current_stream(self, _device: torch.device) -> "FakeStream":
        return FakeStream(self._current[-1], self.events)

    @contextmanager
    def stream(self, stream: "FakeStream") -> Iterator[None]:
        before, self._current = self._current, [*self._current, stream.name]
        try:
            yield
        finally:
            self._current = before

    @contextmanager
    def graph(
        self, _graph: object, *, pool: str, stream: "FakeStream", capture_error_mode: str
    ) -> Iterator[None]:
        self._current.append(stream.name)  # as in PyTorch, which restores it only if the capture ends well
        self.events.append(f"capture on {stream.name}, {pool}, {capture_error_mode}")
        try:
            yield
        finally:
            self.events.append("end")
            if self.ends_with is not None:
                raise self.ends_with
            self._current.pop()

    def call(self) -> torch.Tensor:
        self.events.append(f"call on {self._current[-1]}")
        return torch.ones(1)


class FakeStream:
    def __init__(self, name: str, events: list[str]) -> None:
        self.name = name
        self._events = events

    def wait_stream(self, other: "FakeStream") -> None:
        self._events.append(f"{self.name} waits for {other.name}")


_SEQUENCE = [
    "side waits for default",
    "call on side",
    "capture on side, pool, thread_local",
    "call on side",
    "end",
    "default waits for side",
]


def test_a_call_is_warmed_up_and_captured_on_a_stream_that_is_ordered_with_the_current_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = FakeCuda()
    cuda.install(monkeypatch)
    CudaGraphs(torch.device("cuda")).record(cuda.call)
    assert cuda.events == _SEQUENCE
    assert cuda.current_stream(torch.device("cuda")).name == "default"


def test_the_current_stream_is_restored_after_a_capture_that_cannot_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = FakeCuda()
    cuda.ends_with = RuntimeError("the capture is invalid")
    cuda.install(monkeypatch)
    with pytest.raises(RuntimeError, match="invalid"):
        CudaGraphs(torch.device("cuda")).record(cuda.call)
    assert cuda.events == _SEQUENCE
    assert cuda.current_stream(torch.device("cuda")).name == "default"


def test_memory_that_graphs_keep_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [
        {"segment_pool_id": (0, 0), "total_size": 50, "active_size": 20},
        {"segment_pool_id": (0, 7), "total_size": 500, "active_size": 100},
    ]
    FakeCuda().install(monkeypatch)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (1000, 9000))
    monkeypatch.setattr(torch.cuda, "memory_snapshot", lambda include_traces: segments)
    assert CudaGraphs(torch.device("cuda")).free_bytes() == 1030
