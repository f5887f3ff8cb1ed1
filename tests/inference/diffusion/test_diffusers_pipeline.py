"""Pipelines that the denoising loop does not support, run by diffusers."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import (
    LatentConsistencyModelPipeline,
    LCMScheduler,
    StableDiffusionPAGPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image

from contract.generation import Generation
from inference.diffusion.diffusers_pipeline import DiffusersPipeline
from inference.diffusion.loader import create_engine
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.errors import UnsupportedTaskError
from inference.engine.interface import Callbacks, Engine, GenerationOutput, Inputs
from tests.inference import tiny_models
from tests.inference.generations import MODEL, InlineExecutor, generate, generation_of, landscape
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
    assert calls[0] == (1, 4)
    assert calls.count((4, 4)) == 2
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


@pytest.mark.parametrize(
    ("fields", "pointer", "syntax"),
    [
        ({"prompt": "a <lora:moon:1>"}, "#/prompt", "<lora:...>"),
        ({"prompt": "a AND b"}, "#/prompt", "AND"),
        ({"prompt": "[a:b:0.5]"}, "#/prompt", "prompt editing"),
        ({"negative_prompt": "[a|b]"}, "#/negative_prompt", "prompt editing"),
    ],
)
def test_the_syntax_of_prompts_is_refused_by_name(
    engine: Engine, fields: dict[str, Any], pointer: str, syntax: str
) -> None:
    with pytest.raises(
        UnsupportedTaskError, match=f"contains {syntax}, which this model does not support"
    ) as no:
        generate(engine, **fields)
    assert [each.pointer for each in no.value.errors] == [pointer]


class Recorded:
    """A pipeline with the components of another, which records its arguments."""

    def __init__(self, demo_model: Path, *, transformer: object = None) -> None:
        self._plain = pag_pipeline(demo_model)
        self.components = self._plain.components
        self.scheduler = self._plain.scheduler
        self.transformer = transformer
        self.num_timesteps = 4
        self.arguments: dict[str, Any] = {}

    def set_progress_bar_config(self, *, disable: bool) -> None:
        pass

    def record(self, count: int, **arguments: Any) -> Any:
        self.arguments = arguments
        return SimpleNamespace(images=[Image.new("RGB", (64, 64))] * count)


class WithoutGuidance(Recorded):
    """A pipeline with neither guidance nor a negative prompt."""

    def __call__(
        self, prompt: str, width: int, height: int, num_inference_steps: int, num_images_per_prompt: int = 1
    ) -> Any:
        return self.record(num_images_per_prompt, prompt=prompt)


class TrueGuidance(Recorded):
    """A pipeline like those of Flux and Qwen-Image."""

    def __call__(
        self,
        prompt: str,
        width: int,
        height: int,
        num_inference_steps: int,
        negative_prompt: str = "",
        guidance_scale: float = 3.5,
        true_cfg_scale: float = 1.0,
        num_images_per_prompt: int = 1,
    ) -> Any:
        return self.record(
            num_images_per_prompt,
            negative_prompt=negative_prompt,
            guidance_scale=guidance_scale,
            true_cfg_scale=true_cfg_scale,
        )


def run_on(
    pipeline: Recorded, generation: Generation, chosen: frozenset[str] = frozenset()
) -> GenerationOutput:
    worker = DiffusersPipeline(pipeline)
    task = GenerationTask(generation, Inputs(chosen=chosen), Callbacks(), callback_executor=InlineExecutor())
    worker.add_request(task)
    while worker.has_unfinished_requests:
        worker.step()
    return task.future.result(LIMIT_S)


@pytest.mark.parametrize(
    ("request_fields", "pointers"),
    [
        ({"negative_prompt": "blue"}, ["#/negative_prompt"]),
        ({"guidance_scale": 3.0}, ["#/guidance_scale"]),
        ({"guidance_rescale": 0.5}, ["#/guidance_rescale"]),
        ({"guidance_interval": [0.2, 0.8]}, ["#/guidance_interval"]),
        ({"sampler": "heun"}, ["#/sampler"]),
        ({"sampler": "heun", "timestep_spacing": "trailing"}, ["#/timestep_spacing", "#/sampler"]),
        ({"clip_skip": 2}, ["#/clip_skip"]),
        ({"prompt": "a cat AND a dog"}, ["#/prompt"]),
        ({"prompt": "a [cat:dog:0.5]"}, ["#/prompt"]),
        ({"prompt": "a cat <lora:moon:1>"}, ["#/prompt"]),
        ({"prompt": "cat " * 80}, ["#/prompt"]),
    ],
)
def test_fields_that_the_pipeline_would_ignore_are_refused_by_name(
    demo_model: Path, request_fields: dict[str, Any], pointers: list[str]
) -> None:
    generation = generation_of(**request_fields)
    chosen = generation.chosen_beside(MODEL.defaults)
    with pytest.raises(UnsupportedTaskError) as caught:
        run_on(WithoutGuidance(demo_model), generation, chosen)
    assert [each.pointer for each in caught.value.errors] == pointers


def test_the_sampler_of_the_pipelines_own_scheduler_is_accepted(demo_model: Path) -> None:
    generation = generation_of(sampler="ddim")
    output = run_on(WithoutGuidance(demo_model), generation, generation.chosen_beside(MODEL.defaults))
    assert "sampler" not in output.unused
    assert {"guidance_scale", "negative_prompt"} <= output.unused


def test_defaults_that_the_pipeline_does_not_use_are_named_as_unused(demo_model: Path) -> None:
    output = run_on(WithoutGuidance(demo_model), generation_of())
    assert {"sampler", "guidance_scale"} <= output.unused


def test_guidance_scale_is_the_scale_of_classifier_free_guidance(demo_model: Path) -> None:
    pipeline = TrueGuidance(demo_model)
    run_on(pipeline, generation_of(guidance_scale=4.0, negative_prompt="blue"))
    assert pipeline.arguments == {"negative_prompt": "blue", "guidance_scale": 3.5, "true_cfg_scale": 4.0}


def test_distilled_guidance_takes_the_scale_and_no_negative_prompt(demo_model: Path) -> None:
    pipeline = TrueGuidance(demo_model, transformer=SimpleNamespace(config={"guidance_embeds": True}))
    run_on(pipeline, generation_of(guidance_scale=4.0))
    assert pipeline.arguments == {"negative_prompt": "", "guidance_scale": 4.0, "true_cfg_scale": 1.0}
    with pytest.raises(UnsupportedTaskError, match="negative_prompt"):
        run_on(pipeline, generation_of(negative_prompt="blue"))


def lcm_pipeline(demo_model: Path) -> LatentConsistencyModelPipeline:
    """A latent consistency model like LCM_Dreamshaper, whose UNet takes the guidance scale."""
    components = tiny_models.sd(demo_model).components
    torch.manual_seed(1)
    components["unet"] = UNet2DConditionModel.from_config(components["unet"].config, time_cond_proj_dim=32)
    components["scheduler"] = LCMScheduler.from_config(components["scheduler"].config)
    pipeline = LatentConsistencyModelPipeline(**components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_a_latent_consistency_model_equals_diffusers_and_has_its_own_sampler(demo_model: Path) -> None:
    engine = create_engine(lcm_pipeline(demo_model), max_batch_size=8)
    try:
        generation = generation_of(sampler="lcm", guidance_scale=8.0)
        chosen = Inputs(chosen=generation.chosen_beside(MODEL.defaults))
        output = engine.submit(generation, chosen, Callbacks()).result(LIMIT_S)
        assert "sampler" not in output.unused
        refused = generation_of(sampler="euler_a", negative_prompt="blue")
        inputs = Inputs(chosen=refused.chosen_beside(MODEL.defaults))
        with pytest.raises(UnsupportedTaskError) as caught:
            engine.submit(refused, inputs, Callbacks()).result(LIMIT_S)
    finally:
        engine.close()
    assert [each.pointer for each in caught.value.errors] == ["#/negative_prompt", "#/sampler"]
    expected = lcm_pipeline(demo_model)(
        "a red circle",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=8.0,
        generator=torch.Generator("cpu").manual_seed(11),
    ).images[0]
    assert output.images[0].tobytes() == expected.tobytes()
