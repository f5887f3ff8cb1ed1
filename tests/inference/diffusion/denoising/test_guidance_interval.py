"""Guidance within an interval, compared with pipelines of diffusers whose callback switches it on and off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from PIL import Image

from contract.samplers import find_sampler
from inference.engine.interface import Inputs
from tests.inference import tiny_models
from tests.inference.diffusion.denoising.loop_harness import LoopHarness
from tests.inference.generations import landscape

pytestmark = pytest.mark.usefixtures("engine_thread_count")
SETTINGS: dict[str, Any] = {"prompt": "a red circle", "negative_prompt": "blue", "seed": 11}
GUIDANCE_SCALE = 7.3


@pytest.fixture(scope="module", params=["SD", "SDXL"])
def pipeline(request: pytest.FixtureRequest, demo_model: Path) -> Any:
    return tiny_models.sdxl(demo_model) if request.param == "SDXL" else tiny_models.sd(demo_model)


@pytest.fixture
def harness(pipeline: Any) -> Iterator[LoopHarness]:
    harness = LoopHarness(pipeline)
    yield harness
    harness.close()


def with_diffusers(
    pipeline: Any,
    guidance: list[bool],
    *,
    sampler: str,
    steps: int,
    image: Image.Image | None = None,
    strength: float | None = None,
    **options: float,
) -> bytes:
    """The image of diffusers' pipeline, with guidance in the evaluations that `guidance` names."""
    known = find_sampler(sampler)
    scheduler = getattr(diffusers, known.scheduler).from_config(pipeline.scheduler.config, **known.options)
    is_xl = hasattr(pipeline, "text_encoder_2")
    kind = type(pipeline)
    if image is not None:
        kind = getattr(diffusers, kind.__name__.replace("Pipeline", "Img2ImgPipeline"))
    settings = {} if is_xl else {"requires_safety_checker": False}
    reference = kind(**{**pipeline.components, "scheduler": scheduler}, **settings)
    reference.set_progress_bar_config(disable=True)

    def encode() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        encoded = reference.encode_prompt(
            SETTINGS["prompt"],
            device="cpu",
            num_images_per_prompt=1,
            do_classifier_free_guidance=True,
            negative_prompt=SETTINGS["negative_prompt"],
        )
        names = ("prompt_embeds", "add_text_embeds") if is_xl else ("prompt_embeds",)
        return {name: (encoded[2 * index + 1], encoded[2 * index]) for index, name in enumerate(names)}

    def switch(_pipeline: Any, evaluation: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        has_guidance = guidance[min(evaluation + 1, len(guidance) - 1)]
        reference._guidance_scale = GUIDANCE_SCALE if has_guidance else 1.0
        rows = {name: torch.cat(pair) if has_guidance else pair[1] for name, pair in encode().items()}
        if is_xl:
            rows["add_time_ids"] = tensors["add_time_ids"][:1].repeat(2 if has_guidance else 1, 1)
        return tensors | rows

    place = {"width": 64, "height": 64} if image is None else {"image": image, "strength": strength}
    result = reference(
        SETTINGS["prompt"],
        negative_prompt=SETTINGS["negative_prompt"],
        num_inference_steps=steps,
        guidance_scale=GUIDANCE_SCALE if guidance[0] else 1.0,
        generator=torch.Generator("cpu").manual_seed(SETTINGS["seed"]),
        callback_on_step_end=switch,
        callback_on_step_end_tensor_inputs=[
            "prompt_embeds",
            *(["add_text_embeds", "add_time_ids"] if is_xl else []),
        ],
        **place,
        **options,
    ).images[0]
    return bytes(result.tobytes())


def generate(harness: LoopHarness, **request: Any) -> bytes:
    settings = {**SETTINGS, "guidance_scale": GUIDANCE_SCALE, "width": 64, "height": 64} | request
    (image,) = harness.finish(harness.add_request(**settings))
    return image


def rows(guidance: list[bool]) -> list[int]:
    return [2 if each else 1 for each in guidance]


@pytest.mark.parametrize(
    ("sampler", "steps", "interval", "guidance"),
    [
        ("euler", 5, [0.2, 0.8], [False, True, True, True, False]),
        ("euler_a", 5, [0.0, 0.6], [True, True, True, False, False]),
        ("dpmpp_2m", 5, [0.4, 1.0], [False, False, True, True, True]),
        ("ddim", 4, [0.3, 0.7], [False] * 4),
        ("heun", 4, [0.1, 0.75], [False, True, True, True, True, False, False]),
        ("unipc", 5, [0.15, 0.85], [False, True, True, True, False]),
    ],
)
def test_an_interval_equals_diffusers_and_saves_the_negative_rows_outside(
    pipeline: Any, harness: LoopHarness, sampler: str, steps: int, interval: list[float], guidance: list[bool]
) -> None:
    ours = generate(harness, sampler=sampler, steps=steps, guidance_interval=interval)
    assert harness.samples == rows(guidance)
    assert ours == with_diffusers(pipeline, guidance, sampler=sampler, steps=steps)
    assert ours != with_diffusers(pipeline, [True] * len(guidance), sampler=sampler, steps=steps)


def test_guidance_is_rescaled_within_the_interval(pipeline: Any, harness: LoopHarness) -> None:
    guidance = [False, True, True, False]
    ours = generate(harness, sampler="euler", guidance_interval=[0.25, 0.75], guidance_rescale=0.7)
    assert ours == with_diffusers(pipeline, guidance, sampler="euler", steps=4, guidance_rescale=0.7)


def test_steps_that_image_to_image_skips_are_part_of_the_interval(
    pipeline: Any, harness: LoopHarness
) -> None:
    guidance = [True, True, False, False]
    request = {"sampler": "euler", "steps": 8, "guidance_interval": [0.25, 0.75]}
    image = landscape()
    ours = generate(harness, inputs=Inputs(image), strength=0.5, **request)
    assert harness.samples == rows(guidance)
    assert ours == with_diffusers(pipeline, guidance, sampler="euler", steps=8, image=image, strength=0.5)


def test_the_whole_interval_changes_nothing(loop: LoopHarness) -> None:
    plain, whole = loop.add_request(), loop.add_request(guidance_interval=[0, 1])
    first, second = loop.finish(plain, whole)
    assert first == second
    assert loop.samples == [4] * 4


def test_an_interval_changes_nothing_without_guidance(loop: LoopHarness) -> None:
    plain = loop.add_request(guidance_scale=1.0)
    narrow = loop.add_request(guidance_scale=1.0, guidance_interval=[0.4, 0.6])
    first, second = loop.finish(plain, narrow)
    assert first == second
    assert loop.samples == [2] * 4


def test_images_within_and_outside_their_intervals_share_batches(loop: LoopHarness) -> None:
    tasks = [
        loop.add_request(steps=4, guidance_interval=[0.25, 0.75]),
        loop.add_request(steps=4, guidance_interval=[0.0, 0.5], seed=12),
        loop.add_request(steps=4, seed=13),
    ]
    loop.finish(*tasks)
    assert loop.samples == [6, 6, 6, 4]  # 1 + 2 + 2, 2 + 2 + 2, 2 + 1 + 2 padded to 6, 1 + 1 + 2 rows


def test_prompts_are_edited_within_and_outside_the_interval(loop: LoopHarness) -> None:
    texts: list[bytes] = []
    loop.before_forward = lambda _, embeddings: texts.append(embeddings[-1].numpy().tobytes())
    loop.finish(loop.add_request(prompt="a [red:blue:0.5] circle", steps=8, guidance_interval=[0.25, 0.75]))
    assert loop.samples == [1, 1, 2, 2, 2, 2, 1, 1]
    assert [text == texts[0] for text in texts] == [True] * 5 + [False] * 3
    assert len(set(texts)) == 2
