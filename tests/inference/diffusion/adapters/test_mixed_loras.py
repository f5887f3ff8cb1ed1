"""Requests with different LoRAs in the same batches of the denoising loop."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.adapters.combined_loras import MAX_RANK
from inference.diffusion.loader import create_engine
from inference.engine.interface import AdapterFile
from tests.inference import tiny_models
from tests.inference.diffusion.adapters.adapter_harness import AdapterHarness, check_close, with_loras
from tests.inference.tiny_adapters import lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")

MODELS = {"SD": tiny_models.sd, "SDXL": tiny_models.sdxl}
DIFFERENCE = {"unet.mid_block.resnets.0.conv1.diff": torch.ones(16, 16, 3, 3)}


def write_lora(harness: AdapterHarness, directory: Path, name: str, **settings: Any) -> AdapterFile:
    return write(directory / f"{name}.safetensors", lora(harness.pipeline, **settings))


def batch_sizes(harness: AdapterHarness, *requests: dict[str, Any]) -> list[int]:
    tasks = [harness.add_request(**request) for request in requests]
    harness.finish()
    return [task.future.result(0).batch_size for task in tasks]


@pytest.mark.parametrize("family", MODELS)
def test_requests_with_different_loras_share_batches_and_equal_those_alone(
    family: str, demo_model: Path, tmp_path: Path
) -> None:
    harness = AdapterHarness(MODELS[family](demo_model), mix_loras=True)
    one = write_lora(harness, tmp_path, "one")
    other = write_lora(harness, tmp_path, "other", seed=1, rank=4)
    requests: list[dict[str, Any]] = [
        with_loras(one),
        {},
        with_loras(one, other, weights=(0.5, -1.0)),
        with_loras(other) | {"guidance_scale": 1.0},
    ]
    alone = [harness.generate(**request) for request in requests]
    assert len(set(alone)) == len(requests)
    tasks = [harness.add_request(**request) for request in requests]
    mixed = harness.finish(*tasks)
    assert all(task.future.result(0).batch_size > 1 for task in tasks)
    for image, expected in zip(mixed, alone, strict=True):
        check_close(image, expected)
    assert [harness.generate(**request) for request in requests] == alone


def test_loras_that_replace_weights_and_those_of_large_rank_have_batches_of_their_own(
    demo_model: Path, tmp_path: Path
) -> None:
    harness = AdapterHarness(tiny_models.sd(demo_model), mix_loras=True)
    plain = write_lora(harness, tmp_path, "plain")
    large = write_lora(harness, tmp_path, "large", rank=MAX_RANK + 1)
    half = write_lora(harness, tmp_path, "half", rank=MAX_RANK // 2 + 1)
    difference = write(tmp_path / "difference.safetensors", DIFFERENCE)
    assert batch_sizes(harness, with_loras(plain), with_loras(half)) == [2, 2]
    for alone in (with_loras(large), with_loras(difference), with_loras(half, large)):
        assert batch_sizes(harness, alone, {}, with_loras(plain)) == [1, 2, 2]


def test_a_slot_whose_batch_has_failed_keeps_its_loras(
    demo_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = AdapterHarness(tiny_models.sd(demo_model), mix_loras=True)
    requests = [with_loras(write_lora(harness, tmp_path, "one")), {}]
    alone = [harness.generate(**request) for request in requests]
    tasks = [harness.add_request(**request) for request in requests]
    predictor = harness.loop._predictor
    predict = predictor.predict

    def fail_if_shared(batch: Any) -> Any:
        if len(batch.slots) > 1:
            raise RuntimeError("CUDA error")
        return predict(batch)

    monkeypatch.setattr(predictor, "predict", fail_if_shared)
    images = harness.finish(*tasks)
    for image, expected in zip(images, alone, strict=True):
        check_close(image, expected)


@pytest.mark.parametrize("fixed_batch_size", [False, True])
def test_loras_are_mixed_unless_images_must_not_depend_on_the_load(
    demo_model: Path, fixed_batch_size: bool
) -> None:
    engine = create_engine(tiny_models.sd(demo_model), max_batch_size=2, fixed_batch_size=fixed_batch_size)
    try:
        adapters = engine._generation._components.adapters  # type: ignore[attr-defined]
        assert adapters._mix_loras is not fixed_batch_size
    finally:
        engine.close()
