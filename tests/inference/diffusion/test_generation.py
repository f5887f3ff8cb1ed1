"""Generation with the demo model: samplers, seeds, sizes, prompts, strength and progress."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline

from contract.samplers import SAMPLERS
from inference.diffusion.loader import create_engine, load_engine
from inference.engine.interface import Callbacks, Engine, Inputs
from tests.inference import tiny_models
from tests.inference.generations import generate, generation_of, landscape
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture(scope="module")
def engine(demo_model: Path) -> Iterator[Engine]:
    engine = load_engine(demo_model, max_batch_size=8)
    yield engine
    engine.close()


@pytest.mark.parametrize("task", ["text", "image"])
@pytest.mark.parametrize("sampler", [s.name for s in SAMPLERS])
def test_every_sampler_is_reproducible_in_both_tasks(engine: Engine, sampler: str, task: str) -> None:
    image = landscape() if task == "image" else None
    first, second = (generate(engine, image, sampler=sampler)[0] for _ in range(2))
    assert first.shape == (64, 64, 3)
    assert first.std() > 0
    assert np.array_equal(first, second)


def test_all_samplers_differ(engine: Engine) -> None:
    images = {generate(engine, sampler=s.name)[0].tobytes() for s in SAMPLERS}
    assert len(images) == len(SAMPLERS)


def test_an_image_does_not_depend_on_earlier_requests(engine: Engine) -> None:
    before = generate(engine)[0]
    generate(engine, landscape(), sampler="heun", guidance_scale=0, strength=0.5)
    generate(engine, sampler="lms", count=2, width=128)
    assert np.array_equal(before, generate(engine)[0])


def test_another_seed_gives_another_image(engine: Engine) -> None:
    assert not np.array_equal(generate(engine)[0], generate(engine, seed=12)[0])


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpm2_a"])
@pytest.mark.parametrize("task", ["text", "image"])
def test_image_i_of_a_request_is_the_image_with_seed_plus_i(engine: Engine, sampler: str, task: str) -> None:
    """To within one level of 255: the batch size decides the last bits."""
    image = landscape() if task == "image" else None
    batch = generate(engine, image, sampler=sampler, seed=20, count=3)
    for index, together in enumerate(batch):
        alone = generate(engine, image, sampler=sampler, seed=20 + index)[0]
        assert np.abs(together.astype(int) - alone).max() <= 1


def test_prompt_negative_prompt_and_guidance_scale_change_the_image(engine: Engine) -> None:
    images = [
        generate(engine)[0],
        generate(engine, prompt="a blue square")[0],
        generate(engine, negative_prompt="blue")[0],
        generate(engine, guidance_scale=3.0)[0],
        generate(engine, guidance_scale=0)[0],
    ]
    assert len({image.tobytes() for image in images}) == len(images)


def test_text_to_image_equals_diffusers(engine: Engine, demo_model: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(
        "a red circle",
        width=64,
        height=64,
        num_inference_steps=4,
        generator=torch.Generator("cpu").manual_seed(11),
    ).images[0]
    assert np.array_equal(generate(engine, sampler="ddim")[0], np.asarray(image))


def test_concurrent_requests_share_forward_passes(demo_model: Path) -> None:
    """Requests that arrive during the first one's first step miss that step only."""
    pipeline = tiny_models.sd(demo_model)
    forward_passes, started, gate = [], threading.Event(), threading.Event()

    def count(*_arguments: Any) -> None:
        forward_passes.append(1)
        started.set()
        assert gate.wait(LIMIT_S)

    pipeline.unet.register_forward_pre_hook(count)
    engine = create_engine(pipeline, max_batch_size=8)
    futures = [engine.submit(generation_of(steps=20), Inputs(), Callbacks())]
    assert started.wait(LIMIT_S)
    futures += [engine.submit(generation_of(steps=20, seed=seed), Inputs(), Callbacks()) for seed in range(7)]
    gate.set()
    assert [future.result(LIMIT_S).batch_size for future in futures] == [8] * 8
    assert len(forward_passes) == 21
    engine.close()


def test_any_size_that_is_a_multiple_of_eight_is_generated(engine: Engine) -> None:
    assert generate(engine, width=72, height=104)[0].shape == (104, 72, 3)
    assert generate(engine, landscape((88, 64)))[0].shape == (64, 88, 3)


def test_a_low_strength_stays_closer_to_the_input_image(engine: Engine, demo_model: Path) -> None:
    """Compares with the VAE's reconstruction of the input image."""
    image = landscape()
    vae = AutoencoderKL.from_pretrained(demo_model / "vae", dtype=torch.float32, local_files_only=True)
    pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        reconstruction = vae.decode(vae.encode(pixels).latent_dist.mode()).sample[0]
    expected = ((reconstruction.clamp(-1, 1) + 1) * 127.5).permute(1, 2, 0).numpy()
    low, high = (
        np.abs(generate(engine, image, steps=20, strength=strength)[0] - expected).mean()
        for strength in (0.05, 1.0)
    )
    assert low < high / 2


@pytest.mark.parametrize(("sampler", "evaluations"), [("euler", 4), ("heun", 7), ("dpm2", 7)])
def test_the_denoiser_evaluations_are_reported(engine: Engine, sampler: str, evaluations: int) -> None:
    calls: list[tuple[int, int]] = []
    generation = generation_of(sampler=sampler)
    engine.submit(generation, Inputs(), Callbacks(lambda done, total: calls.append((done, total)))).result(
        LIMIT_S
    )
    assert (calls[0], calls[-1]) == ((1, evaluations), (evaluations, evaluations))


@pytest.mark.parametrize("prompt", ["日本の富士山 🗻", "x" * 4000, "\u0000", "<|endoftext|>"])
def test_any_text_is_a_valid_prompt(engine: Engine, prompt: str) -> None:
    assert generate(engine, prompt=prompt)[0].shape == (64, 64, 3)


def test_prompts_are_not_logged(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    generate(engine, prompt="very secret words " * 40)
    captured = capfd.readouterr()
    assert "secret" not in captured.out + captured.err


@pytest.mark.parametrize("sampler", ["dpmpp_sde", "dpmpp_2s_a_karras", "dpmpp_3m_sde_exponential"])
def test_samplers_with_noise_in_their_steps_depend_on_the_seed_alone(engine: Engine, sampler: str) -> None:
    both = generate(engine, sampler=sampler, seed=5, count=2)
    alone = [generate(engine, sampler=sampler, seed=seed)[0] for seed in (5, 6)]
    for one, other in zip(both, alone, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1
    again = generate(engine, sampler=sampler, seed=5)[0]
    assert np.array_equal(alone[0], again)
    assert len(generate(engine, landscape(), sampler=sampler, strength=0.5)) == 1
