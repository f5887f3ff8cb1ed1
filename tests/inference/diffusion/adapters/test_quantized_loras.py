"""LoRAs on a UNet whose linear layers multiply in FP8."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from inference.diffusion.modules.float8_linear import Float8Linear, use_float8
from inference.engine.errors import AdapterUnusableError
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdapterHarness, with_loras
from tests.inference.tiny_adapters import lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")
WEIGHT = 0.7


def quantized(demo_model: Path) -> Any:
    pipeline = tiny_models.sdxl(demo_model)
    assert use_float8(pipeline.unet)
    return pipeline


@pytest.fixture
def weights(demo_model: Path) -> dict[str, torch.Tensor]:
    """A LoRA for layers that are quantized, and for others."""
    return lora(tiny_models.sdxl(demo_model), components=("unet",))


def test_a_plain_lora_is_added_to_quantized_layers_with_its_own_precision(
    demo_model: Path, tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    of_quantized = {
        name: values
        for name, values in weights.items()
        if isinstance(_layer(quantized(demo_model), name), Float8Linear)
    }
    assert of_quantized
    file = write(tmp_path / "a.safetensors", of_quantized)
    harness, reference = AdapterHarness(quantized(demo_model)), AdapterHarness(quantized(demo_model))
    for name, down in of_quantized.items():
        if "lora_A" in name:
            up = of_quantized[name.replace("lora_A", "lora_B")]
            layer = _layer(reference.pipeline, name)
            layer.register_forward_hook(
                lambda _, arguments, output, down=down, up=up: (
                    output + functional.linear(functional.linear(arguments[0], down), up) * WEIGHT
                )
            )
    plain = harness.generate()
    ours = harness.generate(**with_loras(file, weights=(WEIGHT,)))
    assert ours == reference.generate() != plain
    assert harness.generate() == plain


def test_a_lora_that_changes_quantized_weights_in_another_way_is_refused(
    demo_model: Path, tmp_path: Path, weights: dict[str, torch.Tensor]
) -> None:
    pipeline = quantized(demo_model)
    stem = next(
        name.partition(".lora_")[0] for name in weights if isinstance(_layer(pipeline, name), Float8Linear)
    )
    difference = {f"{stem}.diff": torch.zeros(_layer(pipeline, f"{stem}.lora_").weight.shape)}
    harness = AdapterHarness(pipeline)
    task = harness.add_request(**with_loras(write(tmp_path / "a.safetensors", difference)))
    with pytest.raises(AdapterUnusableError, match="changes weights that are quantized"):
        task.future.result(0)
    assert harness.generate()


def _layer(pipeline: Any, name: str) -> Any:
    """The layer of a tensor in a LoRA file."""
    return pipeline.unet.get_submodule(name.partition(".lora_")[0].removeprefix("unet."))
