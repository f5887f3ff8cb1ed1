"""The recorders of calls, with and without CUDA, do what the graphed UNet relies on."""

from collections.abc import Callable, Iterator

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
