"""Rows of a batch with LoRAs of their own, compared to forward passes with those LoRAs alone."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from inference.diffusion.adapters.active_loras import ActiveLoras
from inference.diffusion.adapters.device_cache import DeviceCache
from inference.diffusion.adapters.loaded_lora import LayerChanges
from inference.diffusion.adapters.lora_layers import AdaptableLayer, LayerId
from inference.diffusion.adapters.low_rank_layer import LowRankLayer, LowRankWeights

ROWS = 6
Set = Sequence[tuple[LayerChanges, float]]


class Model(nn.Module):
    """Layers of each kind, without weights in common."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(64, 96, dtype=dtype)
        self.convolution = nn.Conv2d(16, 24, 3, stride=2, padding=1, dtype=dtype)
        self.pointwise = nn.Conv2d(16, 24, 1, dtype=dtype)
        self.inputs = {
            "linear": torch.randn(ROWS, 5, 64, dtype=dtype),
            "convolution": torch.randn(ROWS, 16, 8, 8, dtype=dtype),
            "pointwise": torch.randn(ROWS, 16, 8, 8, dtype=dtype),
        }

    def outputs(self, rows: slice = slice(None)) -> dict[str, torch.Tensor]:
        """Those of each layer, for these rows."""
        with torch.inference_mode():
            outputs = {name: self.get_submodule(name)(values[rows]) for name, values in self.inputs.items()}
            outputs["without tokens"] = self.linear(self.inputs["linear"][rows, 0])
        return outputs


def layers(model: Model) -> dict[str, AdaptableLayer]:
    return {
        name: AdaptableLayer(LayerId("unet", name), module, model, name)
        for name, module in model.named_children()
    }


def lora(of: dict[str, AdaptableLayer], *, rank: int, seed: int, alpha: float = 3.0) -> LayerChanges:
    generator = torch.Generator().manual_seed(seed)
    low_rank = {}
    for layer in of.values():
        weight = layer.module.weight
        outputs, *inputs = weight.shape
        ones = [1] * (len(inputs) - 1)
        down, up = (
            (0.2 * torch.randn(*shape, generator=generator)).to(weight.dtype)
            for shape in ((rank, *inputs), (outputs, rank, *ones))
        )
        low_rank[layer] = LowRankWeights(down, up, alpha)
    return LayerChanges(low_rank, {})


class Subject:
    """A model whose layers some LoRAs change; one of them changes a single layer."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.model = Model(dtype)
        of = layers(self.model)
        self.one = lora(of, rank=2, seed=1)
        self.other = lora(of, rank=8, seed=2)
        self.single = lora({"linear": of["linear"]}, rank=4, seed=3, alpha=1.0)
        self.loras = ActiveLoras(DeviceCache())

    def rows(self) -> list[Set]:
        """A set for each row."""
        return [
            [(self.one, 1.0)],
            [],
            [(self.other, -0.7)],
            [(self.one, 0.3), (self.other, 1.0)],
            [(self.single, 1.0)],
            [(self.one, 1.0)],
        ]


@pytest.fixture
def subject() -> Subject:
    return Subject()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_each_row_is_that_of_its_own_loras_within_one_unit_of_the_last_place(dtype: torch.dtype) -> None:
    subject = Subject(dtype)
    rows = subject.rows()
    subject.loras.activate_rows(rows)
    mixed = subject.model.outputs()
    for index, of_row in enumerate(rows):
        subject.loras.activate(of_row)
        for name, alone in subject.model.outputs(slice(index, index + 1)).items():
            error = (mixed[name][index : index + 1].float() - alone.float()).abs()
            if dtype == torch.float32:  # here the sums' order decides, in the layer itself as well
                assert error.max() < 2e-6
            else:
                assert (error <= _unit_of_last_place(alone)).all()


def _unit_of_last_place(values: torch.Tensor) -> torch.Tensor:
    _, exponents = torch.frexp(values.float())
    return torch.finfo(values.dtype).eps * 2.0 ** (exponents - 1)


def test_rows_do_not_meet_the_numbers_of_other_loras(subject: Subject) -> None:
    low_rank = next(iter(subject.other.low_rank.values()))
    plain = subject.model.outputs()["linear"]
    low_rank.down.fill_(torch.inf)
    subject.loras.activate_rows([[], [(subject.one, 1.0)], *[[(subject.other, 1.0)]] * (ROWS - 2)])
    mixed = subject.model.outputs()["linear"]
    assert torch.equal(mixed[0], plain[0])
    assert mixed[1].isfinite().all()
    assert not mixed[2:].isfinite().any()


def test_a_row_does_not_depend_on_the_loras_of_the_others(subject: Subject) -> None:
    rows = subject.rows()
    subject.loras.activate_rows(rows)
    first = subject.model.outputs()
    subject.loras.activate_rows([*rows[:2], rows[3], rows[2], rows[0], rows[4]])
    second = subject.model.outputs()
    for name in first:
        assert torch.equal(first[name][:2], second[name][:2])
        assert not torch.equal(first[name][2:], second[name][2:])


def test_rows_without_loras_are_plain_to_the_bit(subject: Subject) -> None:
    plain = subject.model.outputs()
    subject.loras.activate_rows([[], *[[(subject.one, 1.0)]] * (ROWS - 2), []])
    mixed = subject.model.outputs()
    for name, values in plain.items():
        assert torch.equal(values[[0, -1]], mixed[name][[0, -1]])


def test_equal_rows_are_activated_as_one_set(subject: Subject) -> None:
    subject.loras.activate([(subject.one, 0.5)])
    state, alone = subject.loras.state, subject.model.outputs()
    subject.loras.activate_rows([[(subject.one, 0.5)]] * ROWS)
    assert subject.loras.state == state
    assert all(torch.equal(values, alone[name]) for name, values in subject.model.outputs().items())
    subject.loras.activate_rows([[]] * ROWS)
    assert subject.loras.state == ()
    assert not any(isinstance(layer, LowRankLayer) for layer in subject.model.modules())


class _Operations(TorchDispatchMode):
    """Counts the operations."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def test_the_number_of_operations_does_not_grow_with_the_number_of_sets(subject: Subject) -> None:
    of = layers(subject.model)
    loras = [lora(of, rank=2, seed=seed) for seed in range(ROWS)]
    counts = []
    for sets in (2, ROWS):
        subject.loras.activate_rows([[(loras[row % sets], 1.0)] for row in range(ROWS)])
        with _Operations() as operations:
            subject.model.outputs()
        counts.append(operations.count)
    assert counts[0] == counts[1]


def test_the_state_names_the_tensors_and_not_the_scales_in_them(subject: Subject) -> None:
    def tensors() -> list[int]:
        low_rank = [each for each in subject.model.modules() if isinstance(each, LowRankLayer)]
        return [
            values.data_ptr()
            for layer in low_rank
            for term in layer.terms
            for values in (term.down, term.up, *term.others.values(), *term.scales.values())  # type: ignore[attr-defined]
        ]

    rows = subject.rows()
    subject.loras.activate_rows(rows)
    state, addresses = subject.loras.state, tensors()
    subject.loras.activate_rows([*rows[1:], [(subject.one, 0.1)]])
    assert (subject.loras.state, tensors()) == (state, addresses)
    states = {state, ()}
    for other in (rows[:4], rows[:2], [*rows, []]):
        subject.loras.activate_rows(other)
        states.add(subject.loras.state)
    assert len(states) == 5
    subject.loras.activate(rows[0])
    assert subject.loras.state not in states
    subject.loras.activate_rows(rows)
    assert (subject.loras.state, tensors()) == (state, addresses)


def test_a_single_set_after_rows_is_exact_again(subject: Subject) -> None:
    subject.loras.activate([(subject.one, 1.0)])
    before = subject.model.outputs()
    subject.loras.activate_rows(subject.rows())
    subject.loras.activate([(subject.one, 1.0)])
    assert all(torch.equal(values, before[name]) for name, values in subject.model.outputs().items())
