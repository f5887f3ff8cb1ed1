"""The SDXL refiner: equality with diffusers, batching, validation and loading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLImg2ImgPipeline
from PIL import Image

from contract.generation import InvalidRequestError
from contract.samplers import find_sampler
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.denoising.refiner import Refiner
from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.loader import create_engine, load_engine
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.interface import Callbacks, Inputs
from tests.inference.generations import NO_CALLBACKS, InlineExecutor, generation_of, landscape
from tests.inference.models import ldm_layout
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")
SETTINGS: dict[str, Any] = {"prompt": "a red circle", "negative_prompt": "blue", "seed": 11, "steps": 10}


@pytest.fixture(scope="module")
def base() -> Any:
    return without_progress_bar(ldm_layout.pipeline("sdxl"))


@pytest.fixture(scope="module")
def refiner(base: Any) -> Any:
    """A refiner pipeline with the base model's VAE, which the engine decodes with."""
    refiner = without_progress_bar(ldm_layout.pipeline("sdxl_refiner"))
    refiner.register_modules(vae=base.vae)
    return refiner


@pytest.fixture(scope="module")
def engine(base: Any, refiner: Any) -> Iterator[EngineThread]:
    engine = create_engine(base, refiner=refiner, max_batch_size=8)
    yield engine
    engine.close()


def without_progress_bar(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(engine: EngineThread, image: Image.Image | None = None, **settings: Any) -> np.ndarray:
    generation = generation_of(from_image=image is not None, **SETTINGS | settings)
    output = engine.submit(generation, Inputs(image), Callbacks()).result(LIMIT_S)
    return np.asarray(output.images[0])


def with_scheduler(scheduler_class: Any, pipeline: Any, options: Any) -> Any:
    """A copy of the pipeline with another scheduler."""
    scheduler = scheduler_class.from_config(pipeline.scheduler.config, **options)
    settings = {
        name: value for name, value in pipeline.config.items() if name.startswith(("requires", "force"))
    }
    return without_progress_bar(type(pipeline)(**pipeline.components | {"scheduler": scheduler}, **settings))


def generate_with_diffusers(
    base: Any,
    refiner: Any,
    *,
    refiner_start: float,
    image: Image.Image | None,
    sampler: str,
    guidance_scale: float,
) -> np.ndarray:
    """Runs diffusers' base and refiner pipelines one after the other, with one generator."""
    known = find_sampler(sampler)
    common: dict[str, Any] = {
        "prompt": SETTINGS["prompt"],
        "negative_prompt": SETTINGS["negative_prompt"],
        "num_inference_steps": SETTINGS["steps"],
        "guidance_scale": guidance_scale,
        "generator": torch.Generator("cpu").manual_seed(SETTINGS["seed"]),
    }
    scheduler_class = getattr(diffusers, known.scheduler)
    base, refiner = (with_scheduler(scheduler_class, each, known.options) for each in (base, refiner))
    options: dict[str, Any] = {"denoising_end": refiner_start, "output_type": "latent"}
    if image is None:
        latents = base(**common, **options, width=64, height=64).images
    else:
        image_to_image = StableDiffusionXLImg2ImgPipeline(**base.components, requires_aesthetics_score=False)
        latents = without_progress_bar(image_to_image)(**common, **options, image=image, strength=0.8).images
    refined = refiner(**common, image=latents, denoising_start=refiner_start).images[0]
    return np.asarray(refined)


@pytest.mark.parametrize("guidance_scale", [5.0, 0.0], ids=["guidance", "no guidance"])
@pytest.mark.parametrize("task", ["text to image", "image to image"])
@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpmpp_2m_karras", "heun", "ddim"])
def test_base_and_refiner_equal_diffusers_pipelines_to_the_byte(
    engine: EngineThread, base: Any, refiner: Any, task: str, sampler: str, guidance_scale: float
) -> None:
    image = landscape() if task == "image to image" else None
    strength: dict[str, Any] = {} if image is None else {"strength": 0.8}
    settings: dict[str, Any] = {"sampler": sampler, "guidance_scale": guidance_scale, "refiner_start": 0.6}
    actual = generate(engine, image, **settings, **strength)
    assert actual.std() > 0
    assert np.array_equal(actual, generate_with_diffusers(base, refiner, image=image, **settings))


def test_the_refiner_changes_its_own_image_only(engine: EngineThread) -> None:
    before = generate(engine)
    assert not np.array_equal(before, generate(engine, refiner_start=0.5))
    assert np.array_equal(before, generate(engine))


class RefinerLoop:
    """A denoising loop with a refiner; records the number of samples of each forward pass of both UNets."""

    def __init__(self, base: Any, refiner: Any) -> None:
        self.samples: list[tuple[str, int]] = []
        self._hooks = [
            pipeline.unet.register_forward_pre_hook(
                lambda _unet, arguments, name=name: self.samples.append((name, len(arguments[0])))
            )
            for name, pipeline in (("base", base), ("refiner", refiner))
        ]
        self.loop = DenoisingLoop(Components.of(base, Refiner.of(refiner)), Batcher(max_batch_size=8))

    def add_request(self, callbacks: Callbacks = NO_CALLBACKS, **settings: Any) -> GenerationTask:
        generation = generation_of(**SETTINGS | settings)
        task = GenerationTask(generation, Inputs(), callbacks, callback_executor=InlineExecutor())
        with torch.inference_mode():
            self.loop.add_request(task)
        return task

    def finish(self) -> None:
        with torch.inference_mode():
            while self.loop.has_unfinished_requests:
                self.loop.step()

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


@pytest.fixture
def refiner_loop(base: Any, refiner: Any) -> Iterator[RefinerLoop]:
    loop = RefinerLoop(base, refiner)
    yield loop
    loop.close()


def test_images_share_the_forward_passes_of_both_unets(refiner_loop: RefinerLoop) -> None:
    calls: list[tuple[int, int]] = []
    tasks = [
        refiner_loop.add_request(
            Callbacks(lambda done, total: calls.append((done, total))), sampler="euler", refiner_start=0.6
        ),
        refiner_loop.add_request(sampler="euler", refiner_start=0.6, seed=12),
    ]
    refiner_loop.finish()
    assert refiner_loop.samples == [("base", 4)] * 6 + [("refiner", 4)] * 4
    assert (calls[0], calls[-1]) == ((1, 10), (10, 10))
    assert all(task.future.result(0).batch_size == 2 for task in tasks)


def test_the_guidance_interval_spans_base_and_refiner(refiner_loop: RefinerLoop) -> None:
    refiner_loop.add_request(sampler="euler", refiner_start=0.6, guidance_interval=[0.2, 0.8])
    refiner_loop.finish()
    base, refiner = [1] * 2 + [2] * 4, [2] * 2 + [1] * 2
    assert refiner_loop.samples == [("base", rows) for rows in base] + [("refiner", rows) for rows in refiner]


@pytest.mark.parametrize(
    ("refiner_start", "message"), [(0.05, "no steps to the base model"), (0.999, "no steps to the refiner")]
)
def test_a_refiner_start_that_leaves_either_model_no_steps_is_refused(
    refiner_loop: RefinerLoop, refiner_start: float, message: str
) -> None:
    task = refiner_loop.add_request(sampler="euler", steps=2, refiner_start=refiner_start)
    with pytest.raises(InvalidRequestError, match=message) as caught:
        task.future.result(0)
    assert caught.value.errors[0].pointer == "#/refiner_start"
    assert refiner_loop.add_request().future.done() is False


def test_a_refiner_start_is_refused_without_a_refiner(base: Any) -> None:
    engine = create_engine(base, max_batch_size=1)
    with pytest.raises(InvalidRequestError, match="has no refiner"):
        generate(engine, refiner_start=0.5)
    assert generate(engine).std() > 0
    engine.close()


def test_a_refiner_in_the_models_directory_is_loaded(base: Any, refiner: Any, tmp_path: Path) -> None:
    base.save_pretrained(tmp_path)
    refiner.save_pretrained(tmp_path / "refiner")
    engine = load_engine(tmp_path, max_batch_size=1)
    assert generate(engine, refiner_start=0.5).std() > 0
    engine.close()
