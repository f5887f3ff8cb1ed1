"""Replacement of layers' weights, and back."""

import pytest
import torch
from torch import nn

from inference.diffusion.adapters.lora_deltas import Delta
from inference.diffusion.adapters.merged_weights import MergedWeights, ReplaceableWeights

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
    weights, before = ReplaceableWeights(), parameters(layers)
    values = [None if each is None else each.detach().clone() for each in before]
    weights.replace(MergedWeights.of({layer: [(delta(layer), 0.5)] for layer in layers}))
    for layer, (weight, bias) in zip(layers, (values[:2], values[2:]), strict=True):
        assert torch.equal(layer.weight, weight + 0.5)  # type: ignore[operator]
        assert torch.equal(layer.bias, 0.5 + (torch.zeros(2) if bias is None else bias))  # type: ignore[arg-type]
    weights.restore()
    for now, original, value in zip(parameters(layers), before, values, strict=True):
        assert now is original
        assert now is None or torch.equal(now, value)  # type: ignore[arg-type]


def test_layers_that_are_no_longer_changed_are_restored(layers: list[nn.Conv2d]) -> None:
    one, other = layers
    weight, weights = one.weight, ReplaceableWeights()
    weights.replace(MergedWeights.of({one: [(delta(one), 1.0)]}))
    weights.replace(MergedWeights.of({other: [(delta(other), 1.0), (delta(other, 2.0), -1.0)]}))
    assert one.weight is weight
    assert torch.equal(other.bias, torch.full((2,), -1.0))  # type: ignore[arg-type]


def test_one_replacement_follows_another_without_a_trace(layers: list[nn.Conv2d]) -> None:
    before, weights = parameters(layers), ReplaceableWeights()
    one, other = layers
    weight_only = Delta({"diff": torch.ones(one.weight.shape)}, 1.0)
    replacements = [
        MergedWeights.of(deltas)
        for deltas in (
            {one: [(delta(one), 1.0)], other: [(delta(other), 1.0)]},
            {one: [(delta(one), 2.0)], other: [(weight_only, 1.0)]},
            {other: [(delta(other), 3.0)]},
            {one: [(weight_only, 1.0)], other: [(weight_only, 2.0)]},
        )
    ]
    for merged in (*replacements, *reversed(replacements)):
        weights.replace(merged)
        for index, layer in enumerate(layers):
            changed = merged.parameters.get(layer, {})
            assert layer.weight is changed.get("weight", before[2 * index])
            assert layer.bias is changed.get("bias", before[2 * index + 1])
    weights.restore()
    assert all(now is original for now, original in zip(parameters(layers), before, strict=True))


def test_changed_weights_are_used_again_as_they_are(layers: list[nn.Conv2d]) -> None:
    layer, weights = layers[1], ReplaceableWeights()
    merged = MergedWeights.of({layer: [(delta(layer), 1.0)]})
    weights.replace(merged)
    changed = parameters([layer])
    weights.restore()
    assert layer.bias is None
    weights.replace(merged)
    assert all(now is before for now, before in zip(parameters([layer]), changed, strict=True))
    assert merged.size_bytes == 4 * (2 * 3 * 3 * 3 + 2)
    assert MergedWeights.of({}).serial != merged.serial


def test_the_memory_format_and_the_dtype_stay(layers: list[nn.Conv2d]) -> None:
    layer = layers[0].to(memory_format=torch.channels_last, dtype=torch.bfloat16)  # type: ignore[call-overload]
    ReplaceableWeights().replace(MergedWeights.of({layer: [(delta(layer), 1.0)]}))
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert layer.weight.dtype == layer.bias.dtype == torch.bfloat16


def test_compiled_code_uses_the_changed_weights(layers: list[nn.Conv2d]) -> None:
    layer, weights = layers[0].requires_grad_(False), ReplaceableWeights()
    compiled = torch.compile(layer, backend="eager", dynamic=False)
    with torch.inference_mode():
        plain = compiled(IMAGE)
        weights.replace(MergedWeights.of({layer: [(delta(layer), 1.0)]}))
        with torch.compiler.set_stance("eager_on_recompile"):
            torch.testing.assert_close(compiled(IMAGE), plain + 3 * 3 * 3 + 1)
            weights.restore()
            assert torch.equal(compiled(IMAGE), plain)
