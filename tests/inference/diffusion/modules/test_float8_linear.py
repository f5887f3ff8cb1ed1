"""Linear layers in FP8: their arithmetic, on the CPU, and the layers of a UNet that are replaced."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inference.diffusion.loader import load_engine
from inference.diffusion.modules.float8_linear import Float8Linear, use_float8
from inference.engine.interface import Callbacks, Inputs
from tests.inference import tiny_models
from tests.inference.generations import generation_of
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")
DTYPES = [torch.float32, torch.bfloat16]


def linear(dtype: torch.dtype = torch.float32, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(64, 48, bias=bias).to(dtype).requires_grad_(requires_grad=False)


def values(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def rounded(rows: torch.Tensor) -> torch.Tensor:
    """The rows as FP8 represents them: 4 bits of each number, if the largest of the row is 448."""
    scale = rows.abs().amax(dim=-1, keepdim=True) / 448
    return (rows / scale).to(torch.float8_e4m3fn).to(rows.dtype) * scale


@pytest.mark.parametrize("bias", [True, False])
def test_inputs_and_weights_are_rounded_row_by_row(bias: bool) -> None:
    exact, inputs = linear(bias=bias), values(2, 5, 64)
    expected = nn.functional.linear(rounded(inputs), rounded(exact.weight), exact.bias)
    actual = Float8Linear(exact)(inputs)
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(actual, exact(inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("magnitude", [1e-3, 1.0, 1e4])
def test_the_product_is_near_the_exact_one_at_every_magnitude(dtype: torch.dtype, magnitude: float) -> None:
    exact, inputs = linear(dtype, bias=False), values(7, 64, dtype=dtype) * magnitude
    actual, expected = Float8Linear(exact)(inputs), exact(inputs)
    assert actual.dtype == dtype
    assert (actual - expected).norm() < 0.05 * expected.norm()


def test_a_row_does_not_depend_on_the_others() -> None:
    layer, inputs = Float8Linear(linear()), values(3, 5, 64)
    loud = torch.cat([inputs[:1], inputs[1:] * 1000])
    torch.testing.assert_close(layer(loud)[0], layer(inputs)[0], rtol=0, atol=0)


def test_rows_of_zeros_yield_the_bias() -> None:
    exact = linear()
    assert torch.equal(Float8Linear(exact)(torch.zeros(2, 64)), exact.bias.expand(2, 48))


def test_the_layers_of_an_images_tokens_are_replaced(demo_model: Path) -> None:
    unet: Any = tiny_models.sdxl(demo_model).unet
    block = unet.mid_block.attentions[0].transformer_blocks[0]
    assert use_float8(unet) > 0
    assert isinstance(block.attn1.to_q, Float8Linear)
    assert isinstance(block.attn2.to_q, Float8Linear)
    assert isinstance(block.ff.net[2], Float8Linear)
    for kept in (block.attn2.to_k, block.attn2.to_v, unet.time_embedding.linear_1):
        assert isinstance(kept, nn.Linear)
    assert use_float8(unet) == 0


def test_an_engine_with_quantization_is_near_the_exact_one_and_says_so(demo_model: Path) -> None:
    images = {}
    for quantization in (None, "fp8"):
        engine = load_engine(demo_model, max_batch_size=1, quantization=quantization)
        try:
            output = engine.submit(generation_of(), Inputs(), Callbacks()).result(LIMIT_S)
            images[quantization] = np.asarray(output.images[0], dtype=np.float32)
            assert engine.versions.get("quantization") == quantization
        finally:
            engine.close()
    difference = np.abs(images["fp8"] - images[None]).mean()
    assert 0 < difference < 4
