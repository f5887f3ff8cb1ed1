"""Recording and replay of the UNet: never with weights, constants or shapes of another time."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from inference.diffusion.modules.graphed_unet import GraphedUNet
from tests.inference.conftest import Log
from tests.inference.diffusion.modules.fake_graphs import FakeGraphs, FakeRecording

_GIB = 1 << 30


class Network:
    """A denoiser with a weight, as a tensor, and a scale, as a constant.

    Attributes:
        code: identifies its code.
        calls: the number of calls, those by recordings included.
    """

    def __init__(self) -> None:
        self.weight = torch.tensor(2.0)
        self.scale = 1.0
        self.code = "eager"
        self.calls = 0

    def __call__(
        self,
        sample: torch.Tensor,
        timesteps: torch.Tensor,
        *,
        encoder_hidden_states: torch.Tensor,
        added_cond_kwargs: dict[str, torch.Tensor] | None = None,
        down_block_additional_residuals: list[torch.Tensor] | None = None,
        mid_block_additional_residual: torch.Tensor | None = None,
        return_dict: bool,
    ) -> tuple[torch.Tensor]:
        assert not return_dict
        self.calls += 1
        extra = encoder_hidden_states.mean(dim=(1, 2)) + timesteps
        if added_cond_kwargs is not None:
            extra = extra + added_cond_kwargs["text_embeds"].sum(dim=1)
        if mid_block_additional_residual is not None:
            extra = extra + mid_block_additional_residual.mean(dim=(1, 2, 3))
        for residual in down_block_additional_residuals or ():
            extra = extra + residual.mean(dim=(1, 2, 3))
        version = 1.0 if self.code == "eager" else 1.5
        return (sample * self.weight * self.scale * version + extra.view(-1, 1, 1, 1),)

    def state(self) -> Hashable:
        return (self.weight.data_ptr(), self.scale)

    def code_for(self, *_arguments: Any, **_options: Any) -> Hashable:
        return self.code


class Harness:
    """A graphed network, whose every result is compared with the network's own."""

    def __init__(self, **options: Any) -> None:
        self.network = Network()
        self.graphs = FakeGraphs(self.network)
        self.unet = GraphedUNet(
            self.network, self.graphs, state=self.network.state, code=self.network.code_for, **options
        )

    def call(self, rows: int = 1, value: float = 1.0, **arguments: Any) -> torch.Tensor:
        inputs = call_arguments(rows, value, **arguments)
        (result,) = self.unet(*inputs[0], **inputs[1])
        expected = self.network(*inputs[0], **inputs[1])[0]
        assert torch.equal(result, expected)
        return result

    def replays(self, call: Callable[[], Any]) -> bool:
        """Whether a call replays a recording, and nothing else."""
        before = (self.graphs.replayed, self.graphs.recorded)
        call()
        return (self.graphs.replayed, self.graphs.recorded) == (before[0] + 1, before[1])


def call_arguments(rows: int, value: float, **arguments: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    generator = torch.Generator().manual_seed(int(value * 1000))
    size, tokens = arguments.pop("size", 4), arguments.pop("tokens", 7)
    sample = torch.randn(rows, 4, size, size, generator=generator)
    sample = sample.contiguous(memory_format=arguments.pop("memory_format", torch.contiguous_format))
    embeddings = torch.randn(rows, tokens, 3, generator=generator)
    timesteps = torch.full((rows,), value, dtype=torch.float32)
    options = {"encoder_hidden_states": embeddings, "added_cond_kwargs": None} | arguments
    return (sample, timesteps), {**options, "return_dict": False}


@pytest.fixture(autouse=True)
def _inference_mode() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def harness() -> Harness:
    return Harness()


def record(harness: Harness, **arguments: Any) -> None:
    while not harness.replays(lambda: harness.call(**arguments)):
        assert harness.network.calls < 1000


def test_the_third_call_of_a_shape_is_recorded_and_later_ones_are_replayed(harness: Harness) -> None:
    recorded = []
    for number in range(5):
        harness.call(value=number)
        recorded.append((harness.graphs.recorded, harness.graphs.replayed))
    assert recorded == [(0, 0), (0, 0), (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize(
    "other",
    [
        {"rows": 2},
        {"size": 8},
        {"tokens": 14},
        {"memory_format": torch.channels_last, "rows": 2},
        {"added_cond_kwargs": {"text_embeds": torch.ones(1, 3), "time_ids": torch.ones(1, 6)}},
        {"mid_block_additional_residual": torch.ones(1, 2, 2, 2)},
        {"down_block_additional_residuals": [torch.ones(1, 2, 2, 2)] * 2},
    ],
    ids=["rows", "size", "tokens", "memory format", "added conditions", "mid residual", "down residuals"],
)
def test_every_shape_and_structure_of_arguments_has_a_graph_of_its_own(
    harness: Harness, other: dict[str, Any]
) -> None:
    record(harness)
    assert not harness.replays(lambda: harness.call(value=2.0, **other))
    record(harness, **other)
    assert harness.graphs.kept == 2
    assert harness.replays(lambda: harness.call(value=3.0))
    assert harness.replays(lambda: harness.call(value=4.0, **other))


def test_a_weight_at_another_address_is_never_read_by_an_old_graph(harness: Harness) -> None:
    record(harness)
    original = harness.network.weight
    harness.network.weight = torch.tensor(3.0)
    assert not harness.replays(lambda: harness.call(value=2.0))
    record(harness)
    harness.network.weight = original
    assert harness.replays(lambda: harness.call(value=3.0))


def test_a_weight_that_changes_in_place_is_read_by_the_graph(harness: Harness) -> None:
    record(harness)
    harness.network.weight.fill_(5.0)
    assert harness.replays(lambda: harness.call(value=2.0))


def test_a_constant_that_changes_is_not_replayed(harness: Harness) -> None:
    record(harness)
    harness.network.scale = 0.5
    assert not harness.replays(lambda: harness.call(value=2.0))
    record(harness)
    harness.network.scale = 1.0
    assert harness.replays(lambda: harness.call(value=3.0))


def test_a_graph_is_recorded_again_when_other_code_is_ready_for_its_shape(harness: Harness) -> None:
    record(harness)
    harness.network.code = "compiled"
    assert not harness.replays(lambda: harness.call(value=2.0))
    assert harness.graphs.kept == 0
    record(harness)
    assert harness.graphs.kept == 1


def test_a_graph_is_discarded_if_other_code_is_ready_while_it_is_recorded(harness: Harness) -> None:
    harness.call()
    harness.call()
    recording = harness.graphs.record

    def record_beside_a_compiler(call: Callable[[], torch.Tensor]) -> Any:
        recorded = recording(call)
        harness.network.code = "compiled"
        return recorded

    harness.graphs.record = record_beside_a_compiler  # type: ignore[method-assign]
    harness.call()
    assert (harness.graphs.recorded, harness.graphs.kept, harness.graphs.replayed) == (1, 0, 0)


def test_a_result_is_not_changed_by_later_calls(harness: Harness) -> None:
    record(harness)
    record(harness, rows=2)
    result = harness.call(value=2.0)
    before = result.clone()
    harness.call(value=3.0)
    harness.call(rows=2, value=4.0)
    assert torch.equal(result, before)


def test_a_result_has_the_networks_memory_format(harness: Harness) -> None:
    record(harness, rows=2, memory_format=torch.channels_last)
    result = harness.call(rows=2, value=2.0, memory_format=torch.channels_last)
    assert result.is_contiguous(memory_format=torch.channels_last)


class Operations(TorchDispatchMode):
    """Counts the operations that torch dispatches, which are launches on a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("added", "launches"),
    [(None, 4), ({"text_embeds": torch.ones(1, 3), "time_ids": torch.ones(1, 6)}, 6)],
    ids=["SD", "SDXL"],
)
def test_beside_the_graph_a_call_launches_a_copy_of_each_input_and_of_the_result(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, added: Any, launches: int
) -> None:
    record(harness, added_cond_kwargs=added)
    arguments, options = call_arguments(1, 2.0, added_cond_kwargs=added)
    result = torch.ones(1, 4, 4, 4)
    monkeypatch.setattr(FakeRecording, "replay", lambda _self: result)
    with Operations() as operations:
        harness.unet(*arguments, **options)
    assert operations.count == launches


def test_the_least_recently_used_graphs_are_released(harness: Harness) -> None:
    harness = Harness(max_graphs=2)
    record(harness, rows=1)
    record(harness, rows=2)
    harness.call(rows=1, value=2.0)
    record(harness, rows=3)
    assert (harness.graphs.kept, harness.graphs.released) == (2, 1)
    assert harness.replays(lambda: harness.call(rows=1, value=3.0))
    assert not harness.replays(lambda: harness.call(rows=2, value=3.0))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("full"), RuntimeError("cannot be captured")])
def test_a_shape_that_cannot_be_recorded_runs_without_a_graph_and_says_so_once(
    harness: Harness, log: Log, error: Exception
) -> None:
    harness.graphs.error = error
    for number in range(6):
        harness.call(value=number)
    assert (harness.graphs.recorded, harness.graphs.kept) == (1, 0)
    assert [line["message"] for line in log.lines if "stays eager" in line["message"]] == [
        "the UNet could not be recorded as a CUDA graph for (1, 4, 4, 4); it stays eager"
    ]
    harness.graphs.error = None
    record(harness, rows=2)


def test_an_error_of_the_network_itself_is_raised(harness: Harness) -> None:
    harness.graphs.measure = lambda call: (_ for _ in ()).throw(torch.OutOfMemoryError)  # type: ignore[method-assign]
    with pytest.raises(torch.OutOfMemoryError):
        harness.call()


@pytest.mark.parametrize(
    ("needed", "free", "kept"),
    [(1, 8, 1), (4, 8, 1), (5, 8, 0), (1, 4, 1), (1, 3, 0)],
    ids=[
        "fits",
        "exactly",
        "no room for an eager call beside it",
        "exactly the reserve",
        "below the reserve",
    ],
)
def test_no_graph_is_recorded_that_leaves_too_little_memory(
    harness: Harness, needed: int, free: int, kept: int
) -> None:
    tensors = call_arguments(1, 1.0)
    inputs = sum(each.nbytes for each in (*tensors[0], tensors[1]["encoder_hidden_states"]))
    harness.graphs.needed, harness.graphs.free = needed * _GIB, free * _GIB + inputs
    for number in range(4):
        harness.call(value=number)
    assert harness.graphs.kept == kept


def test_graphs_share_memory(harness: Harness) -> None:
    harness.graphs.needed, harness.graphs.free = 4 * _GIB, 8 * _GIB + 2**20
    record(harness, rows=1)
    record(harness, rows=2)
    assert harness.graphs.kept == 2


def test_cleared_graphs_are_recorded_again(harness: Harness) -> None:
    record(harness)
    harness.unet.clear()
    assert harness.graphs.kept == 0
    record(harness)


def test_graphs_give_their_memory_back_and_later_ones_need_less_than_half(harness: Harness) -> None:
    harness.graphs.needed = 4 * _GIB
    record(harness, rows=2)
    harness.graphs.needed = 1 * _GIB
    harness.call(rows=1)
    harness.call(rows=1)
    assert harness.unet.release_memory()
    assert harness.graphs.kept == 0
    assert not harness.unet.release_memory()
    for number in range(4):
        harness.call(rows=2, value=number)
    assert harness.graphs.kept == 0
    record(harness, rows=1)


@given(
    events=st.lists(
        st.one_of(
            st.tuples(st.just("call"), st.integers(1, 3), st.integers(0, 5)),
            st.tuples(st.sampled_from(["weight", "in place", "scale"]), st.integers(1, 3), st.just(0)),
            st.tuples(st.sampled_from(["code", "clear", "release", "fail"]), st.just(0), st.just(0)),
        ),
        max_size=60,
    )
)
def test_no_order_of_calls_and_changes_gives_a_stale_result(events: list[tuple[str, int, int]]) -> None:
    harness = Harness(max_graphs=2)
    network = harness.network
    weights = [torch.tensor(float(index)) for index in range(4)]
    with torch.inference_mode():
        for event, number, value in events:
            harness.graphs.error = RuntimeError() if event == "fail" else None
            match event:
                case "call":
                    harness.call(rows=number, value=value)
                case "weight":
                    network.weight = weights[number]
                case "in place":
                    network.weight.mul_(number)
                case "scale":
                    network.scale = float(number)
                case "code":
                    network.code = "compiled" if network.code == "eager" else "eager"
                case "clear":
                    harness.unet.clear()
                case "release":
                    harness.unet.release_memory()
