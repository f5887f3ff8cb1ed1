"""Generations with compiled code: the same images as without it, whatever LoRAs come and go."""

from pathlib import Path
from typing import Any

import torch

from inference.diffusion.compilation.compiled_unet import CompiledUNet
from inference.diffusion.compilation.packages import Packages
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from tests.inference import tiny_models
from tests.inference.artifacts.in_memory_compile_cache import InMemoryCompileCache
from tests.inference.diffusion.adapters.adapter_harness import MAX_BATCH_SIZE, AdapterHarness, with_loras
from tests.inference.diffusion.compilation.calls import FakeClock, FakePackages
from tests.inference.tiny_adapters import lora, write
from tests.waiting import wait_until

_DELTA = "unet.mid_block.resnets.0.conv1.diff"


class CompiledHarness(AdapterHarness):
    """A denoising loop with a fake package of its UNet."""

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline)
        components = Components.of(pipeline)
        self.packages = FakePackages(pipeline.unet)
        compiled = CompiledUNet(
            pipeline.unet,
            Packages(InMemoryCompileCache(), lambda _specification: b"code", load=self.packages.load),
            unet_state=lambda: components.adapters.unet_state,
            measure_call=FakeClock().measure,
        )
        self.loop = DenoisingLoop(components, Batcher(max_batch_size=MAX_BATCH_SIZE), denoiser=compiled)

    @property
    def runs(self) -> int:
        """Of the package."""
        return sum(package.runs for package in self.packages.loaded.values())


def test_merged_weights_run_compiled_and_low_rank_layers_eagerly(demo_model: Path, tmp_path: Path) -> None:
    compiled, plain = CompiledHarness(tiny_models.sd(demo_model)), AdapterHarness(tiny_models.sd(demo_model))
    low_rank = write(tmp_path / "low_rank.safetensors", lora(plain.pipeline))
    merged = write(tmp_path / "merged.safetensors", {_DELTA: torch.ones(16, 16, 3, 3)})
    compiled.generate(steps=1)
    wait_until(lambda: bool(compiled.packages.loaded))
    assert compiled.generate(steps=12) == plain.generate(steps=12)
    requests: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        (with_loras(low_rank), False),
        ({}, True),
        (with_loras(merged), True),
        ({}, True),
        (with_loras(merged, weights=(0.5,)), True),
        (with_loras(low_rank, merged), False),
        ({}, True),
    ]
    for request, is_compiled in requests:
        before = compiled.runs
        assert compiled.generate(steps=4, **request) == plain.generate(steps=4, **request)
        assert (compiled.runs - before == 4) is is_compiled
