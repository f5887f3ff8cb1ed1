"""Equality with diffusers: an image that is alone in its batch equals its pipeline's, to the byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from contract.generation import Generation, InvalidRequestError
from contract.identifiers import new_job_id
from contract.model import ModelDeclaration, ModelDefaults
from contract.request import JobRequest
from contract.samplers import ALL_SAMPLERS, SAMPLERS, find_sampler
from inference.diffusion.loader import create_engine
from inference.engine.interface import Callbacks, Inputs
from tests.inference import tiny_models
from tests.waiting import LIMIT_S

if TYPE_CHECKING:
    from inference.diffusion.engine_thread import EngineThread

pytestmark = pytest.mark.usefixtures("engine_thread_count")
SIZE = (72, 64)
TASKS = ("text to image", "image to image", "inpainting")
PIPELINES = {
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
"""diffusers' pipeline for each of `TASKS`, by the pipeline that the engine loads."""

IN_DIFFUSERS = [sampler for sampler in SAMPLERS if hasattr(diffusers, sampler.scheduler)]
TIMESTEPS_OF_OUR_OWN = ("dpmpp_2m_normal", "dpmpp_2m_sde_normal", "dpmpp_2s_normal", "lcm_sgm", "tcd_sgm")
WITH_SCHEDULE_TYPE = [
    sampler.name
    for sampler in ALL_SAMPLERS
    if hasattr(diffusers, sampler.scheduler)
    and sampler not in SAMPLERS
    and not sampler.name.startswith(TIMESTEPS_OF_OUR_OWN)
]

MODEL = ModelDeclaration(name="demo", defaults=ModelDefaults(width=72, height=64, steps=4))


class Comparison:
    """A model, run by the engine and by diffusers' pipelines."""

    def __init__(self, pipeline: Any) -> None:
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._engine: EngineThread = create_engine(pipeline, max_batch_size=8)

    def generate(self, request: JobRequest, inputs: Inputs) -> np.ndarray:
        generation = Generation.resolve(request, MODEL, job_id=new_job_id(), seed=0)
        output = self._engine.submit(generation, inputs, Callbacks()).result(LIMIT_S)
        assert output.batch_size == 1
        return np.asarray(output.images[0])

    def generate_with_diffusers(self, task: str, request: JobRequest, inputs: Inputs) -> np.ndarray:
        sampler = find_sampler(request.sampler or "")
        scheduler = getattr(diffusers, sampler.scheduler).from_config(
            self._pipeline.scheduler.config,
            **{"timestep_spacing": request.timestep_spacing} if request.timestep_spacing else {},
            **sampler.options,
        )
        name = str(PIPELINES[type(self._pipeline).__name__][TASKS.index(task)])
        settings = {k: v for k, v in self._pipeline.config.items() if k.startswith(("requires", "force"))}
        if "Inpaint" in name or "Img2Img" in name:
            settings.pop("requires_aesthetics_score", None)
        pipeline = getattr(diffusers, name)(
            **{**self._pipeline.components, "scheduler": scheduler}, **settings
        )
        pipeline.set_progress_bar_config(disable=True)
        images = {"image": inputs.image, "mask_image": inputs.mask, "strength": request.strength}
        if request.guidance_rescale is not None:
            images["guidance_rescale"] = request.guidance_rescale
        size = {} if task == "image to image" else {"width": SIZE[0], "height": SIZE[1]}
        image = pipeline(
            request.prompt,
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(request.seed or 0),
            **{key: value for key, value in images.items() if value is not None},
            **size,
        ).images[0]
        return np.asarray(image)

    def close(self) -> None:
        self._engine.close()


@pytest.fixture(scope="module")
def models(demo_model: Path) -> Iterator[dict[str, Comparison]]:
    pipelines = {
        "SD": tiny_models.sd(demo_model),
        "SD 2": tiny_models.sd(demo_model, prediction_type="v_prediction", timestep_spacing="trailing"),
        "SDXL": tiny_models.sdxl(demo_model),
        "zero terminal SNR": tiny_models.sd(
            demo_model,
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            rescale_betas_zero_snr=True,
        ),
        "inpainting": tiny_models.inpainting(demo_model),
    }
    models = {name: Comparison(pipeline) for name, pipeline in pipelines.items()}
    yield models
    for model in models.values():
        model.close()


def input_image() -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    image.paste("green", (0, SIZE[1] // 2, *SIZE))
    return image


def mask() -> Image.Image:
    image = Image.new("L", SIZE, "black")
    ImageDraw.Draw(image).ellipse((9, 13, 50, 48), fill="white")
    return image


def request_for(task: str, **settings: Any) -> tuple[JobRequest, Inputs]:
    inputs = {
        "text to image": Inputs(),
        "image to image": Inputs(input_image()),
        "inpainting": Inputs(input_image(), mask()),
    }[task]
    if inputs.image:
        settings = {"input_image": "s3://data/inputs/a.png", "strength": 0.8} | settings
    defaults = {"prompt": "a red circle", "negative_prompt": "blue", "seed": 11, "steps": 4}
    return JobRequest.model_validate(defaults | {"guidance_scale": 7.3} | settings), inputs


@pytest.mark.parametrize("guidance_scale", [7.3, 0.0], ids=["guidance", "no guidance"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("sampler", [sampler.name for sampler in IN_DIFFUSERS])
@pytest.mark.parametrize("model", ["SD", "SDXL"])
def test_every_sampler_and_task_equals_diffusers(
    models: dict[str, Comparison], model: str, sampler: str, task: str, guidance_scale: float
) -> None:
    request, inputs = request_for(task, sampler=sampler, guidance_scale=guidance_scale)
    actual = models[model].generate(request, inputs)
    assert actual.std() > 0
    assert np.array_equal(actual, models[model].generate_with_diffusers(task, request, inputs))


@pytest.mark.parametrize("sampler", WITH_SCHEDULE_TYPE)
def test_every_schedule_type_equals_diffusers(models: dict[str, Comparison], sampler: str) -> None:
    request, inputs = request_for("text to image", sampler=sampler)
    actual = models["SD"].generate(request, inputs)
    assert np.array_equal(actual, models["SD"].generate_with_diffusers("text to image", request, inputs))


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("sampler", [sampler.name for sampler in IN_DIFFUSERS])
def test_v_prediction_equals_diffusers_in_any_number_of_steps(
    models: dict[str, Comparison], sampler: str, steps: int
) -> None:
    request, inputs = request_for("text to image", sampler=sampler, steps=steps)
    actual = models["SD 2"].generate(request, inputs)
    assert np.array_equal(actual, models["SD 2"].generate_with_diffusers("text to image", request, inputs))


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
@pytest.mark.parametrize("guidance_scale", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("sampler", ["euler_a", "euler", "ddim", "lcm", "tcd"])
def test_recipes_of_few_step_models_equal_diffusers(
    models: dict[str, Comparison], sampler: str, guidance_scale: float, steps: int
) -> None:
    """SDXL Turbo: Euler a; Lightning: Euler; Hyper: DDIM or TCD; LCM."""
    settings = {} if sampler in ("lcm", "tcd") else {"timestep_spacing": "trailing"}
    request, inputs = request_for(
        "text to image", sampler=sampler, guidance_scale=guidance_scale, steps=steps, **settings
    )
    actual = models["SDXL"].generate(request, inputs)
    assert np.array_equal(actual, models["SDXL"].generate_with_diffusers("text to image", request, inputs))


@pytest.mark.parametrize("model", ["SD", "SD 2", "SDXL", "zero terminal SNR"])
def test_rescaled_guidance_equals_diffusers(models: dict[str, Comparison], model: str) -> None:
    request, inputs = request_for("text to image", sampler="euler", guidance_rescale=0.7)
    actual = models[model].generate(request, inputs)
    assert np.array_equal(actual, models[model].generate_with_diffusers("text to image", request, inputs))
    without = models[model].generate(request.model_copy(update={"guidance_rescale": None}), inputs)
    assert not np.array_equal(actual, without)


@pytest.mark.parametrize(
    "sampler", [sampler.name for sampler in IN_DIFFUSERS if sampler.has_zero_terminal_snr]
)
def test_zero_terminal_snr_equals_diffusers(models: dict[str, Comparison], sampler: str) -> None:
    request, inputs = request_for("text to image", sampler=sampler)
    model = models["zero terminal SNR"]
    actual = model.generate(request, inputs)
    assert np.array_equal(actual, model.generate_with_diffusers("text to image", request, inputs))


@pytest.mark.parametrize(
    "sampler", [sampler.name for sampler in SAMPLERS if not sampler.has_zero_terminal_snr]
)
def test_samplers_without_zero_terminal_snr_are_refused(models: dict[str, Comparison], sampler: str) -> None:
    request, inputs = request_for("text to image", sampler=sampler)
    with pytest.raises(InvalidRequestError, match=f"{sampler} does not support this model") as caught:
        models["zero terminal SNR"].generate(request, inputs)
    assert [each.pointer for each in caught.value.errors] == ["#/sampler"]


@pytest.mark.parametrize("task", TASKS[1:])
@pytest.mark.parametrize("model", ["SD", "SDXL"])
@pytest.mark.parametrize("sampler", ["euler_a", "heun"])
def test_full_strength_equals_diffusers(
    models: dict[str, Comparison], model: str, task: str, sampler: str
) -> None:
    request, inputs = request_for(task, sampler=sampler, strength=1.0)
    actual = models[model].generate(request, inputs)
    assert np.array_equal(actual, models[model].generate_with_diffusers(task, request, inputs))


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpm2"])
def test_an_inpainting_unet_equals_diffusers(
    models: dict[str, Comparison], sampler: str, strength: float
) -> None:
    request, inputs = request_for("inpainting", sampler=sampler, strength=strength)
    actual = models["inpainting"].generate(request, inputs)
    expected = models["inpainting"].generate_with_diffusers("inpainting", request, inputs)
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize("task", TASKS[:2])
def test_an_inpainting_unet_without_a_mask_regenerates_the_whole_image(
    models: dict[str, Comparison], task: str
) -> None:
    request, inputs = request_for(task, sampler="euler")
    full_mask = Inputs(inputs.image or Image.new("RGB", SIZE), Image.new("L", SIZE, "white"))
    with_strength = request.model_copy(update={"strength": request.strength or 1.0})
    actual = models["inpainting"].generate(request, inputs)
    expected = models["inpainting"].generate_with_diffusers("inpainting", with_strength, full_mask)
    assert np.array_equal(actual, expected)


@pytest.mark.parametrize("zeros", [True, False])
def test_an_empty_negative_prompt_follows_force_zeros_for_empty_prompt(demo_model: Path, zeros: bool) -> None:
    pipeline = tiny_models.sdxl(demo_model)
    pipeline.register_to_config(force_zeros_for_empty_prompt=zeros)
    model = Comparison(pipeline)
    request, inputs = request_for("text to image", sampler="euler", negative_prompt="")
    without = request.model_copy(update={"negative_prompt": None})
    expected = model.generate_with_diffusers("text to image", without, inputs)
    assert np.array_equal(model.generate(request, inputs), expected)
    model.close()
