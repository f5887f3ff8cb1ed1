"""Plain LoRAs that are merged into the UNet's weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.adapters.low_rank_layer import LowRankLayer
from inference.engine.interface import AdapterFile
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdapterHarness, check_close, with_loras
from tests.inference.tiny_adapters import lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture
def harness(demo_model: Path) -> AdapterHarness:
    return AdapterHarness(tiny_models.sd(demo_model), mix_loras=True, merge_loras=True)


def write_lora(harness: AdapterHarness, directory: Path, name: str = "moon", **settings: Any) -> AdapterFile:
    return write(directory / f"{name}.safetensors", lora(harness.pipeline, **settings))


def test_images_are_those_of_unmerged_loras_up_to_rounding(
    harness: AdapterHarness, demo_model: Path, tmp_path: Path
) -> None:
    one, other = write_lora(harness, tmp_path), write_lora(harness, tmp_path, "other", seed=1, rank=3)
    unmerged = AdapterHarness(tiny_models.sd(demo_model))
    for request in (with_loras(one), with_loras(one, other, weights=(0.6, -0.5))):
        check_close(harness.generate(**request), unmerged.generate(**request))


def test_the_weights_come_back_to_the_bit(harness: AdapterHarness, tmp_path: Path) -> None:
    before = {name: values.clone() for name, values in harness.pipeline.unet.state_dict().items()}
    plain = harness.generate()
    merged = harness.generate(**with_loras(write_lora(harness, tmp_path)))
    assert harness.generate() == plain != merged
    after = harness.pipeline.unet.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(values, after[name]) for name, values in before.items())


def test_a_step_with_a_merged_lora_runs_the_plain_modules(harness: AdapterHarness, tmp_path: Path) -> None:
    harness.add_request(**with_loras(write_lora(harness, tmp_path)))
    harness.step()
    assert not any(isinstance(layer, LowRankLayer) for layer in harness.pipeline.unet.modules())
    assert harness.loop._components.adapters.unet_state != ()


def test_the_result_says_that_the_loras_were_merged(harness: AdapterHarness, tmp_path: Path) -> None:
    requests = {
        True: with_loras(write_lora(harness, tmp_path)),
        False: with_loras(write_lora(harness, tmp_path, "text", components=("text_encoder",))),
    }
    for merged, request in requests.items():
        task = harness.add_request(**request)
        harness.finish()
        assert any("merge_loras" in each for each in task.future.result(0).fallbacks) is merged


def test_merged_loras_share_batches_with_the_same_ones_only(harness: AdapterHarness, tmp_path: Path) -> None:
    requests = [with_loras(write_lora(harness, tmp_path))] * 2 + [{}]
    tasks = [harness.add_request(**request) for request in requests]
    harness.finish()
    assert [task.future.result(0).batch_size for task in tasks] == [2, 2, 1]
