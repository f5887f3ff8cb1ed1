"""A refiner takes over for the last steps: as diffusers does it, to the byte, and beside others."""

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
from inference.engine.interface import Inputs
from tests.inference.generations import Inline, generation_of, landscape
from tests.inference.models import original_layout

pytestmark = pytest.mark.usefixtures("engine_cores")
SETTINGS: dict[str, Any] = {"prompt": "a red circle", "negative_prompt": "blue", "seed": 11, "steps": 10}


@pytest.fixture(scope="module")
def base() -> Any:
    return quiet(original_layout.pipeline("sdxl"))


@pytest.fixture(scope="module")
def refiner(base: Any) -> Any:
    """It decodes with the base's autoencoder, as the engine does."""
    refiner = quiet(original_layout.pipeline("sdxl_refiner"))
    refiner.register_modules(vae=base.vae)
    return refiner


@pytest.fixture(scope="module")
def engine(base: Any, refiner: Any) -> Iterator[EngineThread]:
    engine = create_engine(base, refiner=refiner, max_batch_size=8)
    yield engine
    engine.close()


def quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(engine: EngineThread, image: Image.Image | None = None, **settings: Any) -> np.ndarray:
    generation = generation_of(from_image=image is not None, **SETTINGS | settings)
    drawing = engine.submit(generation, Inputs(image), lambda done, total: None).result(60)
    return np.asarray(drawing.images[0])


def stepped_by(kind: Any, pipeline: Any, options: Any) -> Any:
    """The pipeline's parts around another scheduler."""
    scheduler = kind.from_config(pipeline.scheduler.config, **options)
    settings = {
        name: value for name, value in pipeline.config.items() if name.startswith(("requires", "force"))
    }
    return quiet(type(pipeline)(**pipeline.components | {"scheduler": scheduler}, **settings))


def draw_stock(
    base: Any, refiner: Any, share: float, image: Image.Image | None, sampler: str, guidance_scale: float
) -> np.ndarray:
    """Both pipelines of diffusers, one after the other, with one generator."""
    chosen = find_sampler(sampler)
    generator = torch.Generator("cpu").manual_seed(SETTINGS["seed"])
    common: dict[str, Any] = {
        "prompt": SETTINGS["prompt"],
        "negative_prompt": SETTINGS["negative_prompt"],
        "num_inference_steps": SETTINGS["steps"],
        "guidance_scale": guidance_scale,
        "generator": generator,
    }
    kind = getattr(diffusers, chosen.scheduler)
    base, refiner = (stepped_by(kind, pipeline, chosen.options) for pipeline in (base, refiner))
    if image is None:
        start = base(**common, width=64, height=64, denoising_end=share, output_type="latent").images
    else:
        first = StableDiffusionXLImg2ImgPipeline(**base.components, requires_aesthetics_score=False)
        start = quiet(first)(
            **common, image=image, strength=0.8, denoising_end=share, output_type="latent"
        ).images
    refined = refiner(**common, image=start, denoising_start=share).images[0]
    return np.asarray(refined)


@pytest.mark.parametrize("guidance_scale", [5.0, 0.0], ids=["classifier_free_guidance", "unguided"])
@pytest.mark.parametrize("task", ["text to image", "image to image"])
@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpmpp_2m_karras", "heun", "ddim"])
def test_base_and_refiner_draw_what_diffusers_two_pipelines_draw(
    engine: EngineThread, base: Any, refiner: Any, task: str, sampler: str, guidance_scale: float
) -> None:
    image = landscape() if task == "image to image" else None
    more: dict[str, Any] = {} if image is None else {"strength": 0.8}
    ours = draw(engine, image, sampler=sampler, guidance_scale=guidance_scale, refiner_start=0.6, **more)
    assert ours.std() > 0
    assert np.array_equal(ours, draw_stock(base, refiner, 0.6, image, sampler, guidance_scale))


def test_the_refiner_changes_the_picture_and_nothing_of_the_next(engine: EngineThread) -> None:
    before = draw(engine)
    assert not np.array_equal(before, draw(engine, refiner_start=0.5))
    assert np.array_equal(before, draw(engine))


class Counted:
    """A loop, and the rows of every forward of its two UNets."""

    def __init__(self, base: Any, refiner: Any) -> None:
        self.rows: list[tuple[str, int]] = []
        self._hooks = [
            pipeline.unet.register_forward_pre_hook(
                lambda _unet, given, name=name: self.rows.append((name, len(given[0])))
            )
            for name, pipeline in (("base", base), ("refiner", refiner))
        ]
        self.loop = DenoisingLoop(Components.of(base, Refiner.of(refiner)), Batcher(max_batch_size=8))

    def add_request(self, heard: list[tuple[int, int]] | None = None, **settings: Any) -> GenerationTask:
        on_step = (lambda *_: None) if heard is None else (lambda *told: heard.append(told))
        generation = generation_of(**SETTINGS | settings)
        task = GenerationTask(generation, Inputs(), on_step, callback_executor=Inline())
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
def counted(base: Any, refiner: Any) -> Iterator[Counted]:
    counted = Counted(base, refiner)
    yield counted
    counted.close()


def test_images_share_the_forwards_of_both_networks(counted: Counted) -> None:
    heard: list[tuple[int, int]] = []
    tasks = [
        counted.add_request(heard, sampler="euler", refiner_start=0.6),
        counted.add_request(sampler="euler", refiner_start=0.6, seed=12),
    ]
    counted.finish()
    assert counted.rows == [("base", 4)] * 6 + [("refiner", 4)] * 4
    assert heard == [(step, 10) for step in range(1, 11)]
    assert all(task.future.result(0).batch_size == 2 for task in tasks)


@pytest.mark.parametrize(
    ("share", "words"), [(0.05, "no steps to the base model"), (0.999, "no steps to the ref")]
)
def test_each_of_the_two_must_have_something_to_do(counted: Counted, share: float, words: str) -> None:
    task = counted.add_request(sampler="euler", steps=2, refiner_start=share)
    with pytest.raises(InvalidRequestError, match=words) as refused:
        task.future.result(0)
    assert refused.value.errors[0].pointer == "#/refiner_start"
    assert counted.add_request().future.done() is False


def test_a_model_without_a_refiner_says_so(base: Any) -> None:
    engine = create_engine(base, max_batch_size=1)
    with pytest.raises(InvalidRequestError, match="has no refiner"):
        draw(engine, refiner_start=0.5)
    assert draw(engine).std() > 0
    engine.close()


def test_a_refiner_in_the_models_directory_is_loaded_with_it(base: Any, refiner: Any, tmp_path: Path) -> None:
    base.save_pretrained(tmp_path)
    refiner.save_pretrained(tmp_path / "refiner")
    engine = load_engine(tmp_path, max_batch_size=1)
    assert draw(engine, refiner_start=0.5).std() > 0
    engine.close()
