"""Alone in its batch, an image is the one that diffusers' own pipeline draws, to the byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from contract.generation import Generation
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults
from contract.request import JobRequest
from contract.samplers import SAMPLERS, find_sampler
from inference.diffusion.loader import create_engine
from inference.engine.interface import Inputs
from tests.inference import tiny_models

if TYPE_CHECKING:
    from inference.diffusion.engine_thread import EngineThread

pytestmark = pytest.mark.usefixtures("engine_cores")
SIZE = (72, 64)
TASKS = ("text to image", "image to image", "inpainting")
STOCK = {
    "StableDiffusionPipeline": (
        "StableDiffusionPipeline",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
    ),
    "StableDiffusionXLPipeline": (
        "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
    ),
    "StableDiffusionInpaintPipeline": (None, None, "StableDiffusionInpaintPipeline"),
}
MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=72, height=64, steps=4))


class Family:
    """A model, the engine that draws with it, and diffusers' pipelines around the same parts."""

    def __init__(self, pipeline: Any) -> None:
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._engine: EngineThread = create_engine(pipeline, max_batch_size=8)

    def draw(self, request: JobRequest, inputs: Inputs) -> np.ndarray:
        generation = Generation.resolve(request, MODEL, job_id=new_job_id(), seed=0)
        drawing = self._engine.submit(generation, inputs, lambda done, total: None).result(60)
        assert drawing.batch_size == 1
        return np.asarray(drawing.images[0])

    def draw_stock(self, task: str, request: JobRequest, inputs: Inputs) -> np.ndarray:
        sampler = find_sampler(request.sampler or "")
        scheduler = getattr(diffusers, sampler.scheduler).from_config(
            self._pipeline.scheduler.config, **sampler.options
        )
        name = STOCK[type(self._pipeline).__name__][TASKS.index(task)]
        settings = {k: v for k, v in self._pipeline.config.items() if k.startswith(("requires", "force"))}
        if "Inpaint" in str(name) or "Img2Img" in str(name):
            settings.pop("requires_aesthetics_score", None)
        stock = getattr(diffusers, str(name))(
            **{**self._pipeline.components, "scheduler": scheduler}, **settings
        )
        stock.set_progress_bar_config(disable=True)
        pictures = {"image": inputs.image, "mask_image": inputs.mask, "strength": request.strength}
        size = {} if task == "image to image" else {"width": SIZE[0], "height": SIZE[1]}
        image = stock(
            request.prompt,
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(request.seed or 0),
            **{key: value for key, value in pictures.items() if value is not None},
            **size,
        ).images[0]
        return np.asarray(image)

    def close(self) -> None:
        self._engine.close()


@pytest.fixture(scope="module")
def families(demo_model: Path) -> Iterator[dict[str, Family]]:
    pipelines = {
        "SD": tiny_models.sd(demo_model),
        "SD 2": tiny_models.sd(demo_model, prediction_type="v_prediction", timestep_spacing="trailing"),
        "SDXL": tiny_models.sdxl(demo_model),
        "nine": tiny_models.inpainting(demo_model),
    }
    families = {name: Family(pipeline) for name, pipeline in pipelines.items()}
    yield families
    for family in families.values():
        family.close()


def picture() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    image.paste("green", (0, SIZE[1] // 2, *SIZE))
    return image


def mask() -> Image.Image:
    image = Image.new("L", SIZE, "black")
    ImageDraw.Draw(image).ellipse((9, 13, 50, 48), fill="white")
    return image


def ask(task: str, **settings: Any) -> tuple[JobRequest, Inputs]:
    inputs = {
        "text to image": Inputs(),
        "image to image": Inputs(picture()),
        "inpainting": Inputs(picture(), mask()),
    }[task]
    if inputs.image:
        settings = {"input_image": "s3://data/inputs/a.png", "strength": 0.8} | settings
    defaults = {"prompt": "a red circle", "negative_prompt": "blue", "seed": 11, "steps": 4}
    return JobRequest.model_validate(defaults | {"guidance_scale": 7.3} | settings), inputs


@pytest.mark.parametrize("guidance_scale", [7.3, 0.0], ids=["classifier_free_guidance", "unguided"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
@pytest.mark.parametrize("family", ["SD", "SDXL"])
def test_alone_an_image_is_the_one_that_diffusers_draws(
    families: dict[str, Family], family: str, sampler: str, task: str, guidance_scale: float
) -> None:
    request, inputs = ask(task, sampler=sampler, guidance_scale=guidance_scale)
    ours = families[family].draw(request, inputs)
    assert ours.std() > 0
    assert np.array_equal(ours, families[family].draw_stock(task, request, inputs))


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_so_it_is_when_the_model_predicts_velocity_and_in_any_number_of_steps(
    families: dict[str, Family], sampler: str, steps: int
) -> None:
    request, inputs = ask("text to image", sampler=sampler, steps=steps)
    ours = families["SD 2"].draw(request, inputs)
    assert np.array_equal(ours, families["SD 2"].draw_stock("text to image", request, inputs))


@pytest.mark.parametrize("task", TASKS[1:])
@pytest.mark.parametrize("family", ["SD", "SDXL"])
@pytest.mark.parametrize("sampler", ["euler_a", "heun"])
def test_so_it_is_at_full_strength(families: dict[str, Family], family: str, task: str, sampler: str) -> None:
    request, inputs = ask(task, sampler=sampler, strength=1.0)
    ours = families[family].draw(request, inputs)
    assert np.array_equal(ours, families[family].draw_stock(task, request, inputs))


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpm2"])
def test_so_it_is_with_a_unet_that_looks_at_masks(
    families: dict[str, Family], sampler: str, strength: float
) -> None:
    request, inputs = ask("inpainting", sampler=sampler, strength=strength)
    ours = families["nine"].draw(request, inputs)
    assert np.array_equal(ours, families["nine"].draw_stock("inpainting", request, inputs))


@pytest.mark.parametrize("task", TASKS[:2])
def test_a_unet_that_looks_at_masks_draws_without_one_too(families: dict[str, Family], task: str) -> None:
    request, inputs = ask(task, sampler="euler")
    everything = Inputs(inputs.image or Image.new("RGB", SIZE), Image.new("L", SIZE, "white"))
    strength = request.strength or 1.0
    masked = request.model_copy(update={"strength": strength})
    ours = families["nine"].draw(request, inputs)
    assert np.array_equal(ours, families["nine"].draw_stock("inpainting", masked, everything))


@pytest.mark.parametrize("zeros", [True, False])
def test_without_a_negative_prompt_the_models_own_setting_holds(demo_model: Path, zeros: bool) -> None:
    """An SDXL says whether nothing is zeros or the embedding of nothing."""
    pipeline = tiny_models.sdxl(demo_model)
    pipeline.register_to_config(force_zeros_for_empty_prompt=zeros)
    family = Family(pipeline)
    request, inputs = ask("text to image", sampler="euler", negative_prompt="")
    stock = family.draw_stock("text to image", request.model_copy(update={"negative_prompt": None}), inputs)
    assert np.array_equal(family.draw(request, inputs), stock)
    family.close()
