"""Pipelines that the denoising loop does not support, run by diffusers."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPAGPipeline, StableDiffusionPipeline

from inference.diffusion.loader import create_engine
from inference.engine.errors import UnsupportedTaskError
from inference.engine.interface import Callbacks, Engine, Inputs
from tests.inference.generations import generate, generation_of, landscape
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def pag_pipeline(demo_model: Path) -> StableDiffusionPAGPipeline:
    """Stable Diffusion with perturbed-attention guidance, which the denoising loop does not support."""
    plain = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    pipeline = StableDiffusionPAGPipeline(**plain.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = create_engine(pag_pipeline(demo_model), max_batch_size=8)
    yield engine
    engine.close()


def test_images_equal_diffusers(engine: Engine, demo_model: Path) -> None:
    calls: list[tuple[int, int]] = []
    generation = generation_of(count=2, seed=5)
    futures = [
        engine.submit(generation, Inputs(), Callbacks(lambda done, total: calls.append((done, total))))
        for _ in range(2)
    ]
    outputs = [future.result(LIMIT_S) for future in futures]
    assert calls == [(step, 4) for step in (1, 2, 3, 4)] * 2
    assert outputs[0].batch_size == 2
    expected = pag_pipeline(demo_model)(
        "a red circle",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=4,
        num_images_per_prompt=2,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in (5, 6)],
    ).images
    for output in outputs:
        assert [image.tobytes() for image in output.images] == [image.tobytes() for image in expected]


def test_a_cancelled_generation_ends_after_its_current_step(engine: Engine) -> None:
    started = threading.Event()
    future = engine.submit(generation_of(steps=1000), Inputs(), Callbacks(lambda done, total: started.set()))
    assert started.wait(LIMIT_S)
    assert future.cancel()
    assert len(generate(engine)) == 1


def test_image_to_image_is_refused(engine: Engine) -> None:
    with pytest.raises(UnsupportedTaskError, match="generates from a prompt alone"):
        generate(engine, landscape())
