"""A UNet with linear layers in FP8, compiled by the compiler's process."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from inference.diffusion.compilation.compiler_process import CompilerLimits, CompilerProcess
from inference.diffusion.compilation.package import AotiPackage
from inference.diffusion.compilation.specification import Specification
from inference.diffusion.compilation.weights import CurrentWeights
from inference.diffusion.modules.float8_linear import use_float8
from tests.inference.diffusion.compilation.calls import call, inputs

SAMPLES = 2
pytestmark = pytest.mark.usefixtures("engine_thread_count")


def test_the_compiled_unet_multiplies_in_fp8_with_its_own_weights() -> None:
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("UpBlock2D",),
        block_out_channels=(16,),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        cross_attention_dim=16,
    ).requires_grad_(requires_grad=False)
    tensors = inputs(unet, SAMPLES)
    exact = call(unet, tensors)
    assert use_float8(unet) > 0
    weights = CurrentWeights(unet, tuple)
    content = CompilerProcess(CompilerLimits(niceness=0)).compile(
        Specification.of(unet, weights.layouts, tensors)
    )
    package = AotiPackage(content, frozenset(weights.layouts))
    package.bind(weights.views)
    compiled = package.run([*tensors.values()])
    rounding = (call(unet, tensors) - exact).abs().mean()
    assert (compiled - call(unet, tensors)).abs().mean() < 0.5 * rounding
