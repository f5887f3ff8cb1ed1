"""The arithmetic of LoRA types: compared with formulas of their papers, element by element, and with peft."""

from typing import Any

import pytest
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, inject_adapter_in_model
from torch import nn

from inference.diffusion.adapters.lora_deltas import Delta, delta_of

OUT, IN, RANK, SIDE = 6, 4, 2, 3
ALPHA = 3.0


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def delta(alpha: float | None = ALPHA, **parts: torch.Tensor) -> Delta:
    found = delta_of(parts, alpha)
    assert found is not None
    return found


def tucker(core: torch.Tensor, outputs: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Sum over the two ranks: core[i, j, y, x] * outputs[o, i] * inputs[j, c], without einsum."""
    found = torch.zeros(outputs.shape[0], inputs.shape[1], *core.shape[2:])
    for i in range(core.shape[0]):
        for j in range(core.shape[1]):
            found += outputs[:, i, None, None, None] * inputs[j, None, :, None, None] * core[i, j]
    return found


def check(found: Delta, weight: torch.Tensor, expected: torch.Tensor) -> None:
    change = found.of_weight(weight)
    assert change is not None
    torch.testing.assert_close(change, expected)


LINEAR, CONVOLUTION = numbers(OUT, IN), numbers(OUT, IN, SIDE, SIDE)


def test_locon_has_a_convolution_between_two_of_one_pixel() -> None:
    down, mid, up = numbers(RANK, IN, 1, 1), numbers(RANK, RANK, SIDE, SIDE), numbers(OUT, RANK, 1, 1)
    found = delta(down=down, mid=mid, up=up)
    check(found, CONVOLUTION, ALPHA / RANK * tucker(mid, up[:, :, 0, 0], down[:, :, 0, 0]))
    image = numbers(1, IN, 5, 5)
    in_a_chain = nn.functional.conv2d(
        nn.functional.conv2d(nn.functional.conv2d(image, down), mid, padding=1), up
    )
    at_once = nn.functional.conv2d(image, found.of_weight(CONVOLUTION), padding=1)  # type: ignore[arg-type]
    torch.testing.assert_close(at_once, ALPHA / RANK * in_a_chain)


def loha(*shape: int) -> dict[str, torch.Tensor]:
    return {
        name: numbers(*part, seed=seed)
        for seed, (name, part) in enumerate(
            {
                "hada_w1_a": (OUT, RANK),
                "hada_w1_b": (RANK, *shape),
                "hada_w2_a": (OUT, RANK),
                "hada_w2_b": (RANK, *shape),
            }.items()
        )
    }


@pytest.mark.parametrize("weight", [LINEAR, CONVOLUTION], ids=["linear", "convolution"])
def test_loha_is_the_product_of_two_low_rank_matrices_element_by_element(weight: torch.Tensor) -> None:
    parts = loha(weight[0].numel())
    first = parts["hada_w1_a"] @ parts["hada_w1_b"]
    second = parts["hada_w2_a"] @ parts["hada_w2_b"]
    check(delta(**parts), weight, ALPHA / RANK * (first * second).reshape(weight.shape))


def test_loha_of_convolutions_may_have_cores() -> None:
    parts = {
        **{f"hada_t{index}": numbers(RANK, RANK, SIDE, SIDE, seed=index) for index in (1, 2)},
        **{f"hada_w{index}_a": numbers(RANK, OUT, seed=index) for index in (1, 2)},
        **{f"hada_w{index}_b": numbers(RANK, IN, seed=index) for index in (1, 2)},
    }
    first, second = (
        tucker(parts[f"hada_t{index}"], parts[f"hada_w{index}_a"].T, parts[f"hada_w{index}_b"])
        for index in (1, 2)
    )
    check(delta(**parts), CONVOLUTION, ALPHA / RANK * first * second)


def blocks(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The Kronecker product: a copy of `second` for each element of `first`."""
    return torch.cat([torch.cat([number * second for number in row], dim=1) for row in first])


def test_lokr_is_a_kronecker_product() -> None:
    first, second = numbers(2, 2), numbers(3, 2)
    check(delta(lokr_w1=first, lokr_w2=second), LINEAR, blocks(first, second))  # alpha has no effect
    a, b = numbers(3, RANK), numbers(RANK, 2)
    check(delta(lokr_w1=first, lokr_w2_a=a, lokr_w2_b=b), LINEAR, ALPHA / RANK * blocks(first, a @ b))
    c, d = numbers(2, 1), numbers(1, 2)
    check(delta(lokr_w1_a=c, lokr_w1_b=d, lokr_w2=second), LINEAR, ALPHA * blocks(c @ d, second))


def test_lokr_of_convolutions() -> None:
    first, second = numbers(2, 2), numbers(3, 2, SIDE, SIDE)
    check(delta(lokr_w1=first, lokr_w2=second), CONVOLUTION, blocks(first, second))
    core, a, b = numbers(RANK, RANK, SIDE, SIDE), numbers(RANK, 3), numbers(RANK, 2)
    check(
        delta(lokr_w1=first, lokr_t2=core, lokr_w2_a=a, lokr_w2_b=b),
        CONVOLUTION,
        ALPHA / RANK * blocks(first, tucker(core, a.T, b)),
    )
    a, b = numbers(3, RANK), numbers(RANK, 2 * SIDE * SIDE)
    expected = blocks(first, (a @ b).reshape(3, 2, SIDE, SIDE))
    check(delta(lokr_w1=first, lokr_w2_a=a, lokr_w2_b=b), CONVOLUTION, ALPHA / RANK * expected)


@pytest.mark.parametrize("weight", [LINEAR, CONVOLUTION], ids=["linear", "convolution"])
@pytest.mark.parametrize("axis", ["outputs", "inputs"])
def test_dora_rescales_each_channel_to_its_norm(weight: torch.Tensor, axis: str) -> None:
    down, up = numbers(RANK, *weight.shape[1:]), numbers(OUT, RANK)
    sum_of_both = weight + ALPHA / RANK * (up @ down.flatten(1)).reshape(weight.shape)
    channels, dimension = (OUT, 0) if axis == "outputs" else (IN, 1)
    shape = [channels if each == dimension else 1 for each in range(weight.ndim)]
    magnitude = numbers(channels).abs() + 1
    expected = torch.stack(
        [
            norm * channel / channel.square().sum().sqrt()
            for norm, channel in zip(magnitude, sum_of_both.unbind(dimension), strict=True)
        ],
        dim=dimension,
    )
    check(delta(down=down, up=up, magnitude=magnitude.reshape(shape)), weight, expected - weight)


def test_full_differences_are_added() -> None:
    found = delta(diff=LINEAR, diff_b=numbers(OUT))
    check(found, numbers(OUT, IN, seed=9), LINEAR)
    assert torch.equal(found.of_bias(LINEAR), numbers(OUT))  # type: ignore[arg-type]


def test_without_alpha_the_scale_is_1() -> None:
    down, up = numbers(RANK, IN), numbers(OUT, RANK)
    check(delta(None, down=down, up=up), LINEAR, up @ down)


@pytest.mark.parametrize(
    "parts",
    [
        {"down": torch.ones(0, IN), "up": torch.ones(OUT, 0)},
        {
            "hada_w1_a": torch.ones(OUT, 0),
            "hada_w1_b": torch.ones(0, IN),
            "hada_w2_a": LINEAR,
            "hada_w2_b": LINEAR,
        },
        {},
    ],
    ids=["LoRA", "LoHa", "alpha alone"],
)
def test_a_layer_of_rank_0_is_skipped(parts: dict[str, torch.Tensor]) -> None:
    assert delta_of(parts, ALPHA) is None


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(IN, OUT)


PEFT: dict[str, Any] = {
    "LoHa": LoHaConfig(r=RANK, alpha=ALPHA, target_modules=["layer"], init_weights=False),
    "LoKr": LoKrConfig(r=1, alpha=ALPHA, target_modules=["layer"], init_weights=False),
    "DoRA": LoraConfig(
        r=RANK, lora_alpha=ALPHA, target_modules=["layer"], init_lora_weights=False, use_dora=True
    ),
}
PEFT_PARTS = {
    "lora_A": "down",
    "lora_B": "up",
    "lora_magnitude_vector": "magnitude",
}


@pytest.mark.parametrize("name", PEFT)
def test_layers_equal_those_of_peft(name: str) -> None:
    torch.manual_seed(5)
    model, image = Model(), numbers(3, IN)
    weight, bias = model.layer.weight.detach().clone(), model.layer.bias.detach()
    inject_adapter_in_model(PEFT[name], model)
    parts = {}
    for key, values in model.layer.named_parameters():
        part = key.partition(".")[0]
        if part != "base_layer":
            parts[PEFT_PARTS.get(part, part)] = values.detach()
    if "magnitude" in parts:
        parts["magnitude"].mul_(1.7)
    change = delta(**parts).of_weight(weight)
    assert change is not None
    torch.testing.assert_close(model.layer(image), nn.functional.linear(image, weight + change, bias))
    assert change.abs().max() > 0.01
