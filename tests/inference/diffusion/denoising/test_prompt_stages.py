"""Prompts that change between steps, and prompts joined by AND, compared with evaluations by diffusers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from contract.generation import InvalidRequestError
from contract.samplers import find_sampler
from inference.diffusion.prompts.prompt_encoder import MAX_CHUNKS
from inference.engine.errors import InvalidOutputError
from inference.engine.interface import Adapters
from tests.inference import tiny_models
from tests.inference.diffusion.denoising.loop_harness import LoopHarness
from tests.inference.tiny_adapters import lora, write

pytestmark = pytest.mark.usefixtures("engine_thread_count")
SIZE = {"width": 128, "height": 128}


@pytest.fixture(scope="module", params=["demo", "SDXL"])
def pipeline(request: pytest.FixtureRequest, demo_model: Path) -> Any:
    if request.param == "SDXL":
        return tiny_models.sdxl(demo_model)
    pipeline = StableDiffusionPipeline.from_pretrained(demo_model, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def harness(pipeline: Any) -> Iterator[LoopHarness]:
    harness = LoopHarness(pipeline)
    yield harness
    harness.close()


def generate(harness: LoopHarness, **request: Any) -> bytes:
    (image,) = harness.finish(harness.add_request(**{"seed": 11, **SIZE} | request))
    return image


def with_sampler(pipeline: Any, name: str) -> Any:
    """The pipeline with a sampler's scheduler."""
    sampler = find_sampler(name)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(
        pipeline.scheduler.config, **sampler.options
    )
    kind, components = type(pipeline), {**pipeline.components, "scheduler": scheduler}
    options = {} if hasattr(pipeline, "text_encoder_2") else {"requires_safety_checker": False}
    copy = kind(**components, **options)
    copy.set_progress_bar_config(disable=True)
    return copy


def generate_with_diffusers(
    pipeline: Any, texts: Sequence[tuple[str, str]], *, sampler: str, steps: int, guidance_scale: float = 7.5
) -> bytes:
    """The image of diffusers' own pipeline, whose callback sets the conditionings of each next evaluation.

    Args:
        pipeline: of a model.
        texts: the negative prompt and the prompt of each denoiser evaluation.
        sampler: the sampler.
        steps: denoising steps.
        guidance_scale: scale of classifier-free guidance.
    """
    reference = with_sampler(pipeline, sampler)
    is_xl = hasattr(pipeline, "text_encoder_2")

    def encode(negative: str, prompt: str) -> dict[str, torch.Tensor]:
        embeddings = reference.encode_prompt(
            prompt,
            device="cpu",
            num_images_per_prompt=1,
            do_classifier_free_guidance=True,
            negative_prompt=negative,
        )
        tensors = {"prompt_embeds": torch.cat([embeddings[1], embeddings[0]])}
        if is_xl:
            tensors["add_text_embeds"] = torch.cat([embeddings[3], embeddings[2]])
        return tensors

    def replace(_pipeline: Any, evaluation: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        following = min(evaluation + 1, len(texts) - 1)
        return tensors | encode(*texts[following])

    negative, prompt = texts[0]
    image = reference(
        prompt,
        negative_prompt=negative,
        num_inference_steps=steps,
        guidance_scale=guidance_scale,
        generator=torch.Generator("cpu").manual_seed(11),
        callback_on_step_end=replace,
        callback_on_step_end_tensor_inputs=["prompt_embeds", *(["add_text_embeds"] if is_xl else [])],
        **SIZE,
    ).images[0]
    return bytes(image.tobytes())


@pytest.mark.parametrize(
    ("prompt", "negative", "sampler", "texts"),
    [
        ("a [red:blue:0.5] circle", "", "euler", ["a red circle"] * 4 + ["a blue circle"] * 2),
        ("a [red:blue:2] circle", "", "ddim", ["a red circle"] * 3 + ["a blue circle"] * 3),
        (
            "a [red|blue] circle",
            "",
            "dpmpp_2m",
            [f"a {each} circle" for each in ("red", "red", "blue", "red", "blue", "red")],
        ),
        (
            "a [big:0.5] [red::0.2] circle",
            "",
            "euler",
            ["a  red circle"] * 2 + ["a   circle"] * 2 + ["a big  circle"] * 2,
        ),
        ("a [red:blue:0.5] circle", "", "heun", ["a red circle"] * 7 + ["a blue circle"] * 4),
    ],
)
def test_an_edited_prompt_equals_an_evaluation_by_diffusers(
    pipeline: Any, harness: LoopHarness, prompt: str, negative: str, sampler: str, texts: list[str]
) -> None:
    ours = generate(harness, prompt=prompt, negative_prompt=negative, sampler=sampler, steps=6)
    pairs = [(negative, text) for text in texts]
    assert ours == generate_with_diffusers(pipeline, pairs, sampler=sampler, steps=6)
    assert ours != generate_with_diffusers(pipeline, pairs[:1] * len(pairs), sampler=sampler, steps=6)


def test_the_negative_prompt_is_edited_by_itself(pipeline: Any, harness: LoopHarness) -> None:
    ours = generate(harness, prompt="a circle", negative_prompt="[red:blue:1]", sampler="euler", steps=4)
    texts = [("red", "a circle")] * 2 + [("blue", "a circle")] * 2
    assert ours == generate_with_diffusers(pipeline, texts, sampler="euler", steps=4)


def denoise(pipeline: Any, prompts: dict[str, float], *, steps: int, guidance_scale: float) -> torch.Tensor:
    """The final latents of Euler's method with the sum of the prompts' differences from the empty one."""
    scheduler = with_sampler(pipeline, "euler").scheduler
    scheduler.set_timesteps(steps)
    shape = (1, pipeline.unet.config.in_channels, *[128 // pipeline.vae_scale_factor] * 2)
    latents = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(11))
    latents = latents * scheduler.init_noise_sigma
    encoded = [
        pipeline.encode_prompt(
            text,
            device="cpu",
            num_images_per_prompt=1,
            do_classifier_free_guidance=True,
            negative_prompt="",
        )
        for text in prompts
    ]
    time_ids = torch.tensor([[128, 128, 0, 0, 128, 128]])

    def predict(sample: torch.Tensor, timestep: Any, embeddings: torch.Tensor, pooled: Any) -> torch.Tensor:
        conditions = None if pooled is None else {"text_embeds": pooled, "time_ids": time_ids}
        noise: torch.Tensor = pipeline.unet(
            sample,
            timestep,
            encoder_hidden_states=embeddings,
            added_cond_kwargs=conditions,
            return_dict=False,
        )[0]
        return noise

    def pooled_of(rows: Any, index: int) -> Any:
        return rows[index] if len(rows) > 2 else None

    for timestep in scheduler.timesteps:
        sample = scheduler.scale_model_input(latents, timestep)
        base = predict(sample, timestep, encoded[0][1], pooled_of(encoded[0], 3))
        noise = base.clone()
        for rows, weight in zip(encoded, prompts.values(), strict=True):
            difference = predict(sample, timestep, rows[0], pooled_of(rows, 2)) - base
            noise += weight * guidance_scale * difference
        latents = scheduler.step(noise, timestep, latents, return_dict=False)[0]
    return latents


@pytest.mark.parametrize("guidance_scale", [5.0, 1.0])
def test_prompts_joined_by_and_equal_the_weighted_sum_of_their_predictions(
    pipeline: Any, harness: LoopHarness, guidance_scale: float
) -> None:
    generate(
        harness,
        prompt="a red circle AND a blue square :0.5 AND white:-0.2",
        sampler="euler",
        steps=4,
        guidance_scale=guidance_scale,
    )
    assert harness.samples == [4] * 4
    prompts = {"a red circle": 1.0, "a blue square": 0.5, "white": -0.2}
    with torch.inference_mode():
        expected = denoise(pipeline, prompts, steps=4, guidance_scale=guidance_scale)
    ours = torch.from_numpy(np.frombuffer(harness.latents[0], dtype=np.float32).copy()).view_as(expected)
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-4)


def test_slots_whose_prompts_change_share_batches_with_all_others(
    loop: LoopHarness,
) -> None:
    tasks = [
        loop.add_request(steps=4, prompt="a [red:blue:0.5] circle"),
        loop.add_request(steps=4, prompt="[a|b]", negative_prompt="[c:d:1]", seed=2),
        loop.add_request(steps=4, prompt="plain", seed=3),
        loop.add_request(steps=4, prompt="plain", seed=4),
    ]
    loop.finish(*tasks)
    assert loop.samples == [8] * 4


def test_a_prompt_that_grows_leaves_the_batch_while_it_is_longer(loop: LoopHarness) -> None:
    growing = loop.add_request(steps=4, prompt="a [b BREAK c:2]")
    plain = loop.add_request(steps=4, prompt="a", seed=2)
    loop.finish(growing, plain)
    assert sorted(loop.samples) == [2, 2, 4, 4, 4]


def test_images_with_different_numbers_of_prompts_share_a_batch(loop: LoopHarness) -> None:
    tasks = [
        loop.add_request(steps=2, prompt="a AND b"),
        loop.add_request(steps=2, prompt="c:0.5 AND d", guidance_scale=0.5),
        loop.add_request(steps=2, prompt="a AND b AND c"),
        loop.add_request(steps=2, prompt="a"),
    ]
    loop.finish(*tasks)
    assert loop.samples == [12, 12]  # 3 + 3 + 4 + 2 rows


def test_the_texts_of_a_prompt_have_a_limit_together(loop: LoopHarness) -> None:
    half = "x BREAK " * (MAX_CHUNKS // 2 - 1)
    assert loop.finish(loop.add_request(prompt=f"[{half}a:{half}b:2]"))
    with pytest.raises(InvalidRequestError, match=f"takes {MAX_CHUNKS + 1} chunks") as refused:
        loop.add_request(prompt=f"[{half}a:BREAK {half}c:2]").future.result(0)
    assert refused.value.errors[0].pointer == "#/prompt"


def test_a_lora_of_the_prompt_equals_one_of_the_field(
    tmp_path: Path, loop: LoopHarness, tiny_sd: Any
) -> None:
    file = write(tmp_path / "moon.safetensors", lora(tiny_sd))
    adapters = Adapters(loras=(file,))
    by_field = loop.finish(loop.add_request(adapters=adapters, loras=[{"name": "moon", "weight": 0.7}]))
    by_tag = loop.finish(loop.add_request(adapters=adapters, prompt="a red circle <lora:moon:0.7>"))
    assert by_tag == by_field
    assert by_tag != loop.finish(loop.add_request())


@pytest.mark.parametrize(
    ("request_fields", "pointers"),
    [
        ({}, []),
        ({"prompt": "(a:1.5)"}, ["#/prompt"]),
        ({"prompt": "a AND b:2"}, ["#/prompt"]),
        ({"prompt": "[a:(b:2):1]", "negative_prompt": "[c]"}, ["#/prompt", "#/negative_prompt"]),
    ],
)
def test_an_invalid_image_is_blamed_on_weights_before_the_seed(
    loop: LoopHarness, monkeypatch: pytest.MonkeyPatch, request_fields: dict[str, str], pointers: list[str]
) -> None:
    monkeypatch.setattr(
        loop.components.autoencoder, "_unscale", lambda latents: torch.full_like(latents, torch.nan)
    )
    failing = loop.add_request(**request_fields)
    loop.finish()
    with pytest.raises(InvalidOutputError, match="black or not finite") as raised:
        failing.future.result(0)
    assert [each.pointer for each in raised.value.errors] == pointers
    assert ("another seed" in raised.value.detail) == (not pointers)


def test_weights_that_leave_the_range_of_the_numbers_are_refused(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    torch.nn.init.constant_(pipeline.text_encoder.base_model.final_layer_norm.bias, 1e37)
    loop = LoopHarness(pipeline)
    with pytest.raises(InvalidRequestError, match="leave the range of the model's numbers") as refused:
        loop.add_request(negative_prompt="(a:90)").future.result(0)
    loop.close()
    assert refused.value.errors[0].pointer == "#/negative_prompt"
