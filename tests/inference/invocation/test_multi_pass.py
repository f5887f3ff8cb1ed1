"""The hires pass and upscaling, with a real engine."""

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
from contract.samplers import find_sampler
from inference.diffusion.loader import create_engine, load_engine
from inference.engine.interface import AdapterFile, Adapters, Engine, Inputs
from inference.observability.logs import ContextThreadPool
from tests.inference import tiny_models, tiny_upscalers
from tests.inference.fake_engine import FakeEngine, create_handler
from tests.inference.generations import generation_of, landscape
from tests.inference.invocation.coroutines import run_within_limit
from tests.inference.invocation.pass_runner import run
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture(scope="module")
def engine(pipeline: Any) -> Iterator[Engine]:
    engine = create_engine(pipeline, max_batch_size=8)
    yield engine
    engine.close()


def run_diffusers(
    pipeline: Any, pipeline_class: Any, generation: Generation, **arguments: Any
) -> Image.Image:
    """The image that a pipeline of diffusers generates with the components of `pipeline`."""
    sampler = find_sampler(generation.sampler)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(
        pipeline.scheduler.config, **sampler.options
    )
    reference = pipeline_class(
        **{**pipeline.components, "scheduler": scheduler}, requires_safety_checker=False
    )
    reference.set_progress_bar_config(disable=True)
    image: Image.Image = reference(
        generation.prompt,
        negative_prompt=generation.negative_prompt,
        guidance_scale=generation.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(generation.seed),
        **arguments,
    ).images[0]
    return image


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "heun", "dpmpp_2m_karras"])
def test_a_hires_pass_equals_lanczos_and_image_to_image_of_diffusers(
    engine: Engine, pipeline: Any, executor: ContextThreadPool, sampler: str
) -> None:
    hires = {"scale": 1.4, "steps": 6, "strength": 0.6}
    generation = generation_of(width=72, sampler=sampler, negative_prompt="blue", hires=hires)
    first = run_diffusers(
        pipeline, StableDiffusionPipeline, generation, width=72, height=64, num_inference_steps=4
    )
    upscaled = first.resize((104, 88), Image.Resampling.LANCZOS)  # the nearest multiples of 8
    second = run_diffusers(
        pipeline,
        StableDiffusionImg2ImgPipeline,
        generation,
        image=upscaled,
        strength=0.6,
        num_inference_steps=6,
    )
    output = run(engine, generation, executor)
    assert output.batch_size == 1
    assert np.asarray(second).std() > 0
    assert np.array_equal(np.asarray(output.images[0]), np.asarray(second))


def test_image_i_of_a_hires_job_is_generated_with_seed_plus_i(
    engine: Engine, executor: ContextThreadPool
) -> None:
    """Within 2 of 255: batch sizes round differently, and the hires pass amplifies the difference."""
    together = run(engine, generation_of(seed=20, count=2, hires={"scale": 1.5}), executor)
    assert together.batch_size == 2
    for index, image in enumerate(together.images):
        alone = run(engine, generation_of(seed=20 + index, hires={"scale": 1.5}), executor)
        difference = np.abs(np.asarray(image).astype(int) - np.asarray(alone.images[0]))
        assert difference.max() <= 2
    assert together.images[0].tobytes() != together.images[1].tobytes()


def test_all_passes_share_the_loaded_model(
    demo_model: Path, tmp_path: Path, executor: ContextThreadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts the layers that are created: none after the model and one load of the upscaler."""
    created: list[str] = []
    original = torch.nn.Module.__init__

    def count(module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        created.append(type(module).__name__)
        original(module, *args, **kwargs)

    monkeypatch.setattr(torch.nn.Module, "__init__", count)
    engine = load_engine(demo_model, max_batch_size=8)
    assert created.count("UNet2DConditionModel") == 1
    network = tiny_upscalers.network()
    file = tiny_upscalers.save(tmp_path, network)
    by_model = {"upscaler": "tiny"}
    layers = []
    for hires, upscale in (({}, {}), (by_model, {}), (by_model, by_model)):
        created.clear()
        generation = generation_of(count=2, hires=hires, upscale=upscale)
        output = run(engine, generation, executor, fetch=lambda name, pointer: file)
        assert [image.size for image in output.images] == [(256, 256)] * 2
        layers.append(created.count("Conv2d"))
        assert created.count("Linear") == 0
    assert layers == [0, sum(isinstance(each, torch.nn.Conv2d) for each in network.modules()), 0]
    engine.close()


def test_the_hires_pass_has_the_first_passs_settings_and_adapters(executor: ContextThreadPool) -> None:
    engine = FakeEngine()
    engine.gate.set()
    adapters = Adapters(loras=(AdapterFile("x", Path("x.safetensors"), "1"),))
    controls = (landscape((64, 64)),)
    hires = {"scale": 2.0, "steps": 9, "strength": 0.4}
    generation = generation_of(
        seed=7, count=2, sampler="heun", guidance_scale=3.0, hires=hires, upscale={"scale": 1.5}
    )
    output = run(engine, generation, executor, Inputs(control_images=controls, adapters=adapters))
    (first, _), *hires_calls = sorted(engine.calls, key=lambda call: (call[0].hires is None, call[0].seed))
    assert first == generation
    for (hires_generation, inputs), seed in zip(hires_calls, (7, 8), strict=True):
        changes = {
            "width": 128,
            "height": 128,
            "steps": 9,
            "strength": 0.4,
            "seed": seed,
            "count": 1,
            "hires": None,
            "upscale": None,
        }
        assert hires_generation == generation.model_copy(update=changes)
        assert inputs.adapters is adapters
        assert inputs.image is not None
        assert (inputs.image.size, inputs.image.getpixel((5, 5))) == ((128, 128), (seed, 0, 0))
        assert [control.size for control in inputs.control_images] == [(128, 128)]
        expected = controls[0].resize((128, 128), Image.Resampling.LANCZOS)
        assert inputs.control_images[0].tobytes() == expected.tobytes()
    assert [image.getpixel((0, 0)) for image in output.images] == [(7, 0, 0), (8, 0, 0)]


def test_the_hires_pass_continues_the_editing_of_the_prompts(executor: ContextThreadPool) -> None:
    """Shares from 1 to 2 and steps above those of the first pass refer to it; it runs 4 of its 8 steps."""
    engine = FakeEngine()
    engine.gate.set()
    generation = generation_of(
        prompt="[a:b:0.5] [c:d:1.5] AND <lora:x:1> e :2",
        negative_prompt="[f:g:11] AND",
        steps=10,
        hires={"scale": 2.0, "steps": 8, "strength": 0.5},
    )
    run(engine, generation, executor, Inputs(adapters=Adapters(loras=(AdapterFile("x", Path("x"), "1"),))))
    first, second = (call[0] for call in engine.calls)
    assert first == generation
    assert [(each.start, each.texts.negative, each.texts.prompts) for each in second.prompt_stages] == [
        (0, "f AND", ("b c", "  e")),
        (2, "g AND", ("b c", "  e")),
        (3, "g AND", ("b d", "  e")),
    ]
    assert (second.active_loras, second.prompt_weights) == (generation.active_loras, (1, 2))


def test_an_upscaling_model_runs_before_the_hires_pass_and_in_upscaling(
    engine: Engine, tmp_path: Path, executor: ContextThreadPool
) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    names: list[str] = []

    def fetch(name: str, *, pointer: str) -> AdapterFile:
        names.append(name)
        return file

    plain = run(engine, generation_of(), executor).images[0]
    upscale = engine.upscaler(file, pointer="#")
    output = run(engine, generation_of(upscale={"scale": 1.5, "upscaler": "tiny"}), executor, fetch=fetch)
    assert output.images[0].tobytes() == upscale(plain, (96, 96)).result(LIMIT_S).tobytes()
    assert set(names) == {"tiny"}
    lanczos = run(engine, generation_of(hires={"scale": 1.5}), executor)
    with_model = run(engine, generation_of(hires={"scale": 1.5, "upscaler": "tiny"}), executor, fetch=fetch)
    assert with_model.images[0].size == lanczos.images[0].size == (96, 96)
    assert with_model.images[0].tobytes() != lanczos.images[0].tobytes()


def test_upscaling_without_a_model_is_lanczos(engine: Engine, executor: ContextThreadPool) -> None:
    plain = run(engine, generation_of(), executor).images[0]
    output = run(engine, generation_of(upscale={"scale": 2.2}), executor)
    assert output.images[0].tobytes() == plain.resize((141, 141), Image.Resampling.LANCZOS).tobytes()


def test_an_unsupported_pipeline_refuses_a_hires_pass_and_accepts_upscaling(
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


def test_the_result_document_has_the_size_after_all_passes(s3: Any) -> None:
    engine = FakeEngine()
    engine.gate.set()
    body = json.dumps({"prompt": "x", "hires": {"scale": 1.5}, "upscale": {"scale": 2.0}}).encode()
    result = run_within_limit(create_handler(engine, s3).handle(body))
    assert [(image.width, image.height) for image in result.images] == [(384, 384)]
