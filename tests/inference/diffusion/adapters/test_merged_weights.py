"""Replacement of layers' weights, and back."""

import pytest
import torch
from torch import nn

from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.merged_weights import MergedWeights

IMAGE = torch.ones(1, 3, 4, 4)


def delta(layer: nn.Module, value: float = 1.0) -> Delta:
    weight = next(layer.parameters())
    return Delta(
        {"diff": torch.full(weight.shape, value), "diff_b": torch.full(weight.shape[:1], value)}, 1.0
    )


@pytest.fixture
def layers() -> list[nn.Conv2d]:
    return [nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3, bias=False)]


def parameters(layers: list[nn.Conv2d]) -> list[nn.Parameter | None]:
    return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]


def test_the_original_parameters_come_back_themselves(layers: list[nn.Conv2d]) -> None:
    merged, before = MergedWeights(), parameters(layers)
    values = [None if each is None else each.detach().clone() for each in before]
    merged.replace({layer: [(delta(layer), 0.5)] for layer in layers})
    for layer, (weight, bias) in zip(layers, (values[:2], values[2:]), strict=True):
        assert torch.equal(layer.weight, weight + 0.5)  # type: ignore[operator]
        assert torch.equal(layer.bias, 0.5 + (torch.zeros(2) if bias is None else bias))  # type: ignore[arg-type]
    merged.restore()
    for now, original, value in zip(parameters(layers), before, values, strict=True):
        assert now is original
        assert now is None or torch.equal(now, value)  # type: ignore[arg-type]


def test_layers_that_are_no_longer_changed_are_restored(layers: list[nn.Conv2d]) -> None:
    one, other = layers
    weight, merged = one.weight, MergedWeights()
    merged.replace({one: [(delta(one), 1.0)]})
    merged.replace({other: [(delta(other), 1.0), (delta(other, 2.0), -1.0)]})
    assert one.weight is weight
    assert torch.equal(other.bias, torch.full((2,), -1.0))  # type: ignore[arg-type]


def test_a_failure_leaves_nothing_behind_for_the_next_replacement(layers: list[nn.Conv2d]) -> None:
    before, merged = parameters(layers), MergedWeights()
    one, other = layers
    with pytest.raises(RuntimeError):
        merged.replace({one: [(delta(one), 1.0)], other: [(Delta({"diff": torch.ones(5)}, 1.0), 1.0)]})
    merged.replace({})
    assert all(now is original for now, original in zip(parameters(layers), before, strict=True))


def test_the_memory_format_and_the_dtype_stay(layers: list[nn.Conv2d]) -> None:
    layer = layers[0].to(memory_format=torch.channels_last, dtype=torch.bfloat16)  # type: ignore[call-overload]
    MergedWeights().replace({layer: [(delta(layer), 1.0)]})
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert layer.weight.dtype == layer.bias.dtype == torch.bfloat16


def test_compiled_code_uses_the_changed_weights(layers: list[nn.Conv2d]) -> None:
    layer, merged = layers[0].requires_grad_(False), MergedWeights()
    compiled = torch.compile(layer, backend="eager", dynamic=False)
    with torch.inference_mode():
        plain = compiled(IMAGE)
        merged.replace({layer: [(delta(layer), 1.0)]})
        with torch.compiler.set_stance("eager_on_recompile"):
            torch.testing.assert_close(compiled(IMAGE), plain + 3 * 3 * 3 + 1)
            merged.restore()
            assert torch.equal(compiled(IMAGE), plain)
