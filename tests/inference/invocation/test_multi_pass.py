"""A job's passes: hires over every picture of the first, then the finished ones enlarged."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL import Image

from contract.generation import Generation
from contract.problem import ProblemError
from contract.samplers import SAMPLERS, find_sampler
from inference.diffusion.loader import create_engine, load_engine
from inference.diffusion.modules.noise_schedulers import NoiseSchedulers
from inference.engine.interface import AdapterFile, Adapters, Engine, Inputs
from inference.observability.logs import ContextThreadPool
from tests.inference import tiny_models, tiny_upscalers
from tests.inference.fake_engine import FakeEngine, create_handler
from tests.inference.generations import generation_of, landscape
from tests.inference.invocation.pass_runner import run

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture(scope="module")
def engine(pipeline: Any) -> Iterator[Engine]:
    engine = create_engine(pipeline, max_batch_size=8)
    yield engine
    engine.close()


def stock(pipeline: Any, kind: Any, generation: Generation, **settings: Any) -> Image.Image:
    """What diffusers' own pipeline draws."""
    sampler = find_sampler(generation.sampler)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(
        pipeline.scheduler.config, **sampler.options
    )
    drawer = kind(**{**pipeline.components, "scheduler": scheduler}, requires_safety_checker=False)
    drawer.set_progress_bar_config(disable=True)
    image: Image.Image = drawer(
        generation.prompt,
        negative_prompt=generation.negative_prompt,
        guidance_scale=generation.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(generation.seed),
        **settings,
    ).images[0]
    return image


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "heun", "dpmpp_2m_karras"])
def test_hires_is_what_diffusers_draws_in_two_passes_with_lanczos_between(
    engine: Engine, pipeline: Any, executor: ContextThreadPool, sampler: str
) -> None:
    hires = {"scale": 1.4, "steps": 6, "strength": 0.6}
    generation = generation_of(width=72, sampler=sampler, negative_prompt="blue", hires=hires)
    first = stock(pipeline, StableDiffusionPipeline, generation, width=72, height=64, num_inference_steps=4)
    enlarged = first.resize((104, 88), Image.Resampling.LANCZOS)  # the nearest multiples of 8
    second = stock(
        pipeline,
        StableDiffusionImg2ImgPipeline,
        generation,
        image=enlarged,
        strength=0.6,
        num_inference_steps=6,
    )
    drawing = run(engine, generation, executor)
    assert drawing.batch_size == 1
    assert np.asarray(second).std() > 0
    assert np.array_equal(np.asarray(drawing.images[0]), np.asarray(second))


def test_image_i_of_a_hires_job_is_the_picture_of_seed_plus_i(
    engine: Engine, executor: ContextThreadPool
) -> None:
    """Up to the last bits: batch sizes differ in them, and one pass builds on the other."""
    together = run(engine, generation_of(seed=20, count=2, hires={"scale": 1.5}), executor)
    assert together.batch_size == 2
    for index, picture in enumerate(together.images):
        alone = run(engine, generation_of(seed=20 + index, hires={"scale": 1.5}), executor)
        difference = np.abs(np.asarray(picture).astype(int) - np.asarray(alone.images[0]))
        assert difference.max() <= 2
    assert together.images[0].tobytes() != together.images[1].tobytes()


def test_all_passes_draw_from_what_is_resident(
    demo_model: Path, tmp_path: Path, executor: ContextThreadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the model, only the upscaler is loaded, once: whatever is loaded makes layers of its own."""
    made: list[str] = []
    make = torch.nn.Module.__init__

    def counted(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        made.append(type(module).__name__)
        make(module, *args, **kwargs)

    monkeypatch.setattr(torch.nn.Module, "__init__", counted)
    engine = load_engine(demo_model, max_batch_size=8)
    assert made.count("UNet2DConditionModel") == 1
    network = tiny_upscalers.network()
    file = tiny_upscalers.save(tmp_path, network)
    by_model = {"upscaler": "tiny"}
    layers = []
    for hires, upscale in (({}, {}), (by_model, {}), (by_model, by_model)):
        made.clear()
        generation = generation_of(count=2, hires=hires, upscale=upscale)
        drawing = run(engine, generation, executor, fetch=lambda name, pointer: file)
        assert [image.size for image in drawing.images] == [(256, 256)] * 2
        layers.append(made.count("Conv2d"))
        assert made.count("Linear") == 0
    assert layers == [0, sum(isinstance(each, torch.nn.Conv2d) for each in network.modules()), 0]
    engine.close()


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_the_evaluations_of_both_passes_are_one_account_known_from_the_start(
    engine: Engine, executor: ContextThreadPool, sampler: str
) -> None:
    seen: list[tuple[int, int]] = []
    generation = generation_of(sampler=sampler, hires={"scale": 1.25, "steps": 6, "strength": 0.5})
    run(engine, generation, executor, on_step=lambda *told: seen.append(told))
    total = find_sampler(sampler).evaluations(4) + find_sampler(sampler).evaluations(6, skipped=3)
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_in_company_the_account_is_that_of_an_image(engine: Engine, executor: ContextThreadPool) -> None:
    seen: list[tuple[int, int]] = []
    generation = generation_of(count=3, hires={"scale": 1.25, "steps": 6, "strength": 0.5})
    run(engine, generation, executor, on_step=lambda *told: seen.append(told))
    assert seen[-1] == (7, 7)
    assert seen == sorted(seen)


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_a_sampler_knows_its_evaluations(pipeline: Any, sampler: str) -> None:
    schedules = NoiseSchedulers(pipeline.scheduler.config)
    for steps in (1, 2, 3, 20):
        for taken in {1, (steps + 1) // 2, steps}:
            timesteps = schedules.fresh(
                sampler, steps=steps, strength=(taken + 0.5) / (steps + 0.5)
            ).timesteps
            assert find_sampler(sampler).evaluations(steps, skipped=steps - taken) == len(timesteps)


def test_the_second_pass_keeps_what_the_first_was_asked_for(executor: ContextThreadPool) -> None:
    engine = FakeEngine()
    engine.gate.set()
    adapters = Adapters(loras=(AdapterFile("x", Path("x.safetensors"), "1"),))
    controls = (landscape((64, 64)),)
    hires = {"scale": 2.0, "steps": 9, "strength": 0.4}
    generation = generation_of(seed=7, count=2, sampler="heun", guidance_scale=3.0, hires=hires)
    drawing = run(engine, generation, executor, Inputs(control_images=controls, adapters=adapters))
    (first, _), *second = sorted(engine.calls, key=lambda call: (call[0].hires is None, call[0].seed))
    assert first == generation
    for (again, inputs), seed in zip(second, (7, 8), strict=True):
        changes = {
            "width": 128, "height": 128, "steps": 9, "strength": 0.4, "seed": seed, "count": 1, "hires": None
        }  # fmt: skip
        assert again == generation.model_copy(update=changes)
        assert inputs.adapters is adapters
        assert inputs.image is not None
        assert (inputs.image.size, inputs.image.getpixel((5, 5))) == ((128, 128), (seed, 0, 0))
        assert [control.size for control in inputs.control_images] == [(128, 128)]
        expected = controls[0].resize((128, 128), Image.Resampling.LANCZOS)
        assert inputs.control_images[0].tobytes() == expected.tobytes()
    assert [image.getpixel((0, 0)) for image in drawing.images] == [(7, 0, 0), (8, 0, 0)]


def test_a_model_enlarges_between_the_passes_and_after_them(
    engine: Engine, tmp_path: Path, executor: ContextThreadPool
) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    names: list[str] = []

    def fetch(name: str, *, pointer: str) -> AdapterFile:
        names.append(name)
        return file

    plain = run(engine, generation_of(), executor).images[0]
    enlarge = engine.upscaler(file, pointer="#")
    drawing = run(engine, generation_of(upscale={"scale": 1.5, "upscaler": "tiny"}), executor, fetch=fetch)
    assert drawing.images[0].tobytes() == enlarge(plain, (96, 96)).result(20).tobytes()
    assert set(names) == {"tiny"}
    lanczos = run(engine, generation_of(hires={"scale": 1.5}), executor)
    modelled = run(engine, generation_of(hires={"scale": 1.5, "upscaler": "tiny"}), executor, fetch=fetch)
    assert modelled.images[0].size == lanczos.images[0].size == (96, 96)
    assert modelled.images[0].tobytes() != lanczos.images[0].tobytes()


def test_without_a_model_lanczos_enlarges_what_is_finished(
    engine: Engine, executor: ContextThreadPool
) -> None:
    plain = run(engine, generation_of(), executor).images[0]
    drawing = run(engine, generation_of(upscale={"scale": 2.1}), executor)
    assert drawing.images[0].tobytes() == plain.resize((134, 134), Image.Resampling.LANCZOS).tobytes()


def test_a_pipeline_of_another_kind_refuses_hires_in_words(
    demo_model: Path, executor: ContextThreadPool
) -> None:
    plain = tiny_models.sd(demo_model)
    other = diffusers.StableDiffusionPAGPipeline(**plain.components, requires_safety_checker=False)
    engine = create_engine(other, max_batch_size=8)
    with pytest.raises(ProblemError, match="generates from a prompt alone") as refused:
        run(engine, generation_of(hires={}), executor)
    assert [error.pointer for error in refused.value.errors] == ["#/hires"]
    assert run(engine, generation_of(upscale={}), executor).images[0].size == (128, 128)
    engine.close()


def test_the_result_document_tells_the_size_that_was_made(s3: Any, engine: Engine) -> None:
    scripted = FakeEngine()
    scripted.gate.set()
    body = json.dumps({"prompt": "x", "hires": {"scale": 1.5}, "upscale": {"scale": 2.0}}).encode()
    result = asyncio.run(create_handler(scripted, s3).handle(body))
    assert [(image.width, image.height) for image in result.images] == [(384, 384)]
