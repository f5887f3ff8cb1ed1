"""The engine on the demo model, on the CPU: what it does, whatever the model."""

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDPMPipeline,
    DDPMScheduler,
    StableDiffusionPAGPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

from contract.samplers import SAMPLERS
from inference.diffusion.diffusers_pipeline import UnsupportedModelError
from inference.diffusion.loader import create_engine, load_engine
from inference.engine.errors import UnsupportedTaskError
from inference.engine.interface import Engine, Inputs
from inference.models.errors import UnusableModelError
from tests.inference import tiny_models
from tests.inference.conftest import Log
from tests.inference.generations import generation_of, landscape


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


def draw(engine: Engine, image: Image.Image | None = None, **request: Any) -> list[np.ndarray]:
    generation = generation_of(from_image=image is not None, **request)
    drawing = engine.submit(generation, Inputs(image), lambda step, total: None).result(60)
    return [np.asarray(each) for each in drawing.images]


@pytest.mark.parametrize("task", ["text", "image"])
@pytest.mark.parametrize("sampler", [s.name for s in SAMPLERS])
def test_every_sampler_draws_both_tasks_and_repeats_itself(engine: Engine, sampler: str, task: str) -> None:
    image = landscape() if task == "image" else None
    first, again = (draw(engine, image, sampler=sampler)[0] for _ in range(2))
    assert first.shape == (64, 64, 3)
    assert first.std() > 0
    assert np.array_equal(first, again)


def test_samplers_differ(engine: Engine) -> None:
    drawn = {draw(engine, sampler=s.name)[0].tobytes() for s in SAMPLERS}
    assert len(drawn) == len(SAMPLERS)


def test_a_task_leaves_nothing_behind_for_the_next(engine: Engine) -> None:
    before = draw(engine)[0]
    draw(engine, landscape(), sampler="heun", guidance_scale=0, strength=0.5)
    draw(engine, sampler="lms", count=2, width=128)
    assert np.array_equal(before, draw(engine)[0])


def test_another_seed_draws_another_picture(engine: Engine) -> None:
    assert not np.array_equal(draw(engine)[0], draw(engine, seed=12)[0])


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpm2_a"])
@pytest.mark.parametrize("task", ["text", "image"])
def test_image_i_of_a_batch_is_the_picture_of_seed_plus_i(engine: Engine, sampler: str, task: str) -> None:
    """Up to the last bit: arithmetic differs a little between batch sizes."""
    image = landscape() if task == "image" else None
    batch = draw(engine, image, sampler=sampler, seed=20, count=3)
    for index, picture in enumerate(batch):
        alone = draw(engine, image, sampler=sampler, seed=20 + index)[0]
        assert np.abs(picture.astype(int) - alone).max() <= 1


def test_prompt_negative_prompt_and_guidance_all_count(engine: Engine) -> None:
    pictures = [
        draw(engine)[0],
        draw(engine, prompt="a blue square")[0],
        draw(engine, negative_prompt="blue")[0],
        draw(engine, guidance_scale=3.0)[0],
        draw(engine, guidance_scale=0)[0],
    ]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_a_text_to_image_result_is_what_the_stock_pipeline_draws(engine: Engine, demo_model: Path) -> None:
    stock = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    stock.set_progress_bar_config(disable=True)
    image = stock(
        "a red circle",
        width=64,
        height=64,
        num_inference_steps=4,
        generator=torch.Generator("cpu").manual_seed(11),
    ).images[0]
    assert np.array_equal(draw(engine, sampler="ddim")[0], np.asarray(image))


def test_requests_that_arrive_together_share_their_forwards(demo_model: Path) -> None:
    """Those that arrive while the first is at its first step miss that step alone."""
    pipeline = tiny_models.sd(demo_model)
    forwards, begun, gate = [], threading.Event(), threading.Event()

    def count(*_forward: Any) -> None:
        forwards.append(1)
        begun.set()
        assert gate.wait(20)

    pipeline.unet.register_forward_pre_hook(count)
    engine = create_engine(pipeline, max_batch_size=8)
    ignore = lambda step, total: None  # noqa: E731
    futures = [engine.submit(generation_of(steps=20), Inputs(), ignore)]
    assert begun.wait(20)
    futures += [engine.submit(generation_of(steps=20, seed=seed), Inputs(), ignore) for seed in range(7)]
    gate.set()
    assert [future.result(60).batch_size for future in futures] == [8] * 8
    assert len(forwards) == 21
    engine.close()


def test_any_size_on_the_grid_is_drawn(engine: Engine) -> None:
    assert draw(engine, width=72, height=104)[0].shape == (104, 72, 3)
    assert draw(engine, landscape((88, 64)))[0].shape == (64, 88, 3)


def test_a_weak_strength_stays_closer_to_the_input(engine: Engine, demo_model: Path) -> None:
    """To the input as the autoencoder gives it back."""
    image = landscape()
    vae = AutoencoderKL.from_pretrained(demo_model / "vae", dtype=torch.float32, local_files_only=True)
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        returned = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0]
    untouched = ((returned.clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    weak, strong = (
        np.abs(draw(engine, image, steps=20, strength=strength)[0] - untouched).mean()
        for strength in (0.05, 1.0)
    )
    assert weak < strong / 2


@pytest.mark.parametrize(("sampler", "evaluations"), [("euler", 4), ("heun", 7), ("dpm2", 7)])
def test_every_denoiser_evaluation_is_reported(engine: Engine, sampler: str, evaluations: int) -> None:
    seen: list[tuple[int, int]] = []
    generation = generation_of(sampler=sampler)
    engine.submit(generation, Inputs(), lambda step, total: seen.append((step, total))).result(60)
    assert seen == [(step, evaluations) for step in range(1, evaluations + 1)]


@pytest.mark.parametrize("prompt", ["日本の富士山 🗻", "x" * 4000, "\u0000", "<|endoftext|>"])
def test_any_prompt_is_drawn(engine: Engine, prompt: str) -> None:
    assert draw(engine, prompt=prompt)[0].shape == (64, 64, 3)


def test_prompts_do_not_reach_the_log(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    draw(engine, prompt="very secret words " * 40)
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err


@pytest.mark.parametrize("components", [("unet", "vae", "text_encoder"), ("unet",)], ids=["all", "one"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside the full ones"])
def test_fp16_weights_are_loaded_where_there_are_any(
    engine: Engine, demo_model: Path, tmp_path: Path, components: tuple[str, ...], beside: bool
) -> None:
    """Weights of a scale of their own, so that the picture tells."""
    directory = tmp_path / "model"
    shutil.copytree(demo_model, directory)
    half = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float16, local_files_only=True)
    for name in components:
        if not beside:
            next((directory / name).glob("*.safetensors")).unlink()
        component = getattr(half, name)
        with torch.no_grad():
            next(component.parameters()).mul_(0.9)
        component.save_pretrained(directory / name, variant="fp16")
    drawn, full = draw(load_engine(directory, max_batch_size=8))[0], draw(engine)[0]
    assert drawn.std() > 0
    assert not np.array_equal(drawn, full)


def test_the_libraries_log_as_the_container_does(engine: Engine, log: Log) -> None:
    for library in ("diffusers", "transformers"):
        logging.getLogger(f"{library}.models").error("broken")
    assert [line["logger"] for line in log.lines] == ["diffusers.models", "transformers.models"]


def perturbed(demo_model: Path) -> StableDiffusionPAGPipeline:
    """A pipeline that asks its UNet for more than a plain Stable Diffusion does."""
    plain = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    return StableDiffusionPAGPipeline(**plain.components, requires_safety_checker=False)


@pytest.fixture
def other(demo_model: Path) -> Iterator[Engine]:
    """An engine around a pipeline that is no plain Stable Diffusion."""
    engine = create_engine(perturbed(demo_model), max_batch_size=8)
    yield engine
    engine.close()


def test_a_pipeline_of_another_kind_draws_as_it_does_by_itself(other: Engine, demo_model: Path) -> None:
    heard: list[tuple[int, int]] = []
    generation = generation_of(count=2, seed=5)
    futures = [other.submit(generation, Inputs(), lambda *told: heard.append(told)) for _ in range(2)]
    first, second = (future.result(60) for future in futures)
    assert heard == [(step, 4) for step in (1, 2, 3, 4)] * 2
    assert first.batch_size == 2
    stock = perturbed(demo_model)
    stock.set_progress_bar_config(disable=True)
    images = stock(
        "a red circle",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=4,
        num_images_per_prompt=2,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in (5, 6)],
    ).images
    for drawing in (first, second):
        assert [image.tobytes() for image in drawing.images] == [image.tobytes() for image in images]


def test_a_pipeline_of_another_kind_frees_the_device_when_it_is_cancelled(other: Engine) -> None:
    begun = threading.Event()
    long = other.submit(generation_of(steps=1000), Inputs(), lambda step, total: begun.set())
    assert begun.wait(60)
    assert long.cancel()
    assert len(draw(other)) == 1


def test_a_pipeline_of_another_kind_refuses_other_tasks_in_words(other: Engine) -> None:
    with pytest.raises(UnsupportedTaskError, match="generates from a prompt alone"):
        draw(other, landscape())


def test_a_pipeline_that_draws_nothing_from_prompts_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedModelError, match="DDPMPipeline is not a text-to-image pipeline"):
        create_engine(DDPMPipeline(unet=None, scheduler=DDPMScheduler()), max_batch_size=8)


def test_a_damaged_model_is_not_loaded(demo_model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(demo_model, copy)
    (copy / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(UnusableModelError, match="unet has no safetensors weights"):
        load_engine(copy, max_batch_size=8)
