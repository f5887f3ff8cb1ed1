"""Continuous batching: the number of forward passes, and isolation between generations."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from contract.generation import InvalidRequestError
from contract.prompts.prompt import PromptTexts
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import MAX_CHUNKS
from inference.diffusion.tasks.failures import DeviceLostError
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.errors import InvalidOutputError
from inference.engine.interface import AdapterFile, Adapters, Callbacks, Inputs
from tests.inference.diffusion.denoising.loop_harness import MAX_BATCH_SIZE, LoopHarness
from tests.inference.generations import landscape

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def test_eight_requests_of_twenty_steps_take_twenty_forward_passes(loop: LoopHarness) -> None:
    tasks = [loop.add_request(steps=20, seed=seed) for seed in range(8)]
    assert len(set(loop.finish(*tasks))) == 8
    assert loop.samples == [16] * 20
    assert {task.future.result(0).batch_size for task in tasks} == {8}


def test_requests_join_between_steps_and_leave_when_they_are_done(loop: LoopHarness) -> None:
    first = loop.add_request(steps=4)
    loop.step(2)
    second = loop.add_request(steps=3, sampler="ddim")
    loop.step(2)
    assert first.future.done()
    assert not second.future.done()
    loop.finish()
    assert loop.samples == [2, 2, 4, 4, 2]
    assert (first.future.result(0).batch_size, second.future.result(0).batch_size) == (2, 2)


def test_different_sizes_and_prompt_lengths_do_not_share_a_batch(loop: LoopHarness) -> None:
    requests = [{}, {"width": 72}, {"prompt": "a red BREAK circle"}]
    tasks = [loop.add_request(steps=2, **request) for request in requests]
    loop.finish()
    assert loop.samples == [2] * 6
    assert all(task.future.result(0).batch_size == 1 for task in tasks)


def test_images_with_and_without_guidance_share_a_batch(loop: LoopHarness) -> None:
    with_guidance, without = loop.add_request(steps=2), loop.add_request(steps=2, guidance_scale=0)
    loop.finish()
    assert loop.samples == [3, 3]
    assert [task.future.result(0).batch_size for task in (with_guidance, without)] == [1, 3]


def add_varied_requests(loop: LoopHarness) -> list[GenerationTask]:
    """Adds text-to-image, image-to-image and inpainting requests with different samplers."""
    circle = Image.new("L", (64, 64), "black")
    circle.paste("white", (20, 20, 50, 50))
    return [
        loop.add_request(sampler="euler_a", seed=5),
        loop.add_request(sampler="dpm2_a", seed=6, steps=3, prompt="a blue square"),
        loop.add_request(Inputs(landscape()), sampler="ddim", strength=0.7, guidance_scale=3, seed=7),
        loop.add_request(Inputs(landscape(), circle), sampler="euler_a", strength=0.9, seed=8),
        loop.add_request(Inputs(landscape(), circle), sampler="heun", strength=1.0, seed=9),
        loop.add_request(sampler="lms", negative_prompt="white", seed=10),
    ]


def test_with_a_fixed_batch_size_latents_do_not_depend_on_the_other_images(
    start_loop: Callable[..., LoopHarness],
) -> None:
    busy = start_loop(fixed_batch_size=True)
    busy.add_request(seed=99, steps=2, count=2)
    busy.step()
    together = add_varied_requests(busy)
    busy.step()
    late = busy.add_request(sampler="euler", seed=12)
    busy.finish()
    assert {task.future.result(0).batch_size for task in [*together, late]} == {MAX_BATCH_SIZE}

    idle = start_loop(fixed_batch_size=True)
    for index in range(len(together)):
        tasks = add_varied_requests(idle)
        for task in tasks[:index] + tasks[index + 1 :]:
            task.future.cancel()
        idle.finish()
    idle.add_request(sampler="euler", seed=12)
    idle.finish()
    assert sorted(busy.latents[2:]) == sorted(idle.latents)


def test_image_i_of_a_request_equals_the_image_with_seed_plus_i(
    start_loop: Callable[..., LoopHarness],
) -> None:
    loop = start_loop(fixed_batch_size=True)
    images = loop.finish(loop.add_request(seed=20, count=3, sampler="euler_a"))
    assert images == [loop.finish(loop.add_request(seed=seed, sampler="euler_a"))[0] for seed in (20, 21, 22)]


def test_a_textual_inversion_affects_its_own_request_only(loop: LoopHarness, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(2, 32)}, tmp_path / "style.safetensors")
    style = AdapterFile("style", tmp_path / "style.safetensors", "1")
    request = {"prompt": "a style circle", "embeddings": ["style"]}
    plain = {"prompt": "a style circle"}
    before, styled, after = (
        loop.finish(task)
        for task in (
            loop.add_request(**plain),
            loop.add_request(adapters=Adapters(embeddings=(style,)), **request),
            loop.add_request(**plain),
        )
    )
    assert before == after != styled


@pytest.mark.parametrize(
    ("request_fields", "pointer"),
    [({"clip_skip": 3}, "#/clip_skip"), ({"prompt": "a BREAK " * (MAX_CHUNKS + 1)}, "#/prompt")],
)
def test_a_prompt_that_cannot_be_encoded_fails_its_own_request_only(
    loop: LoopHarness, request_fields: dict[str, Any], pointer: str
) -> None:
    valid, invalid = loop.add_request(), loop.add_request(**request_fields)
    assert loop.finish(valid)
    with pytest.raises(InvalidRequestError) as caught:
        invalid.future.result(0)
    assert caught.value.errors[0].pointer == pointer


@pytest.mark.parametrize("max_batch_size", [1, 2, 8])
def test_on_step_is_called_after_the_first_and_the_last_evaluation_of_all_images(
    start_loop: Callable[..., LoopHarness], max_batch_size: int
) -> None:
    loop = start_loop(max_batch_size=max_batch_size)
    calls: list[tuple[int, int]] = []
    loop.add_request(
        count=3, steps=3, sampler="heun", callbacks=Callbacks(lambda done, total: calls.append((done, total)))
    )
    loop.finish()
    assert (calls[0], calls[-1]) == ((1, 5), (5, 5))
    assert calls == sorted(set(calls))


def test_a_cancelled_request_leaves_before_the_next_step(loop: LoopHarness) -> None:
    running, cancelled = loop.add_request(steps=4), loop.add_request(steps=4)
    loop.step(2)
    assert cancelled.future.cancel()
    loop.finish(running)
    assert loop.samples == [4, 4, 2, 2]
    with pytest.raises(CancelledError):
        cancelled.future.result(0)


def encode_prompt_as_nan(loop: LoopHarness, monkeypatch: pytest.MonkeyPatch, prompt: str = "nan") -> None:
    """Makes the embeddings of this prompt NaN."""
    prompts = loop.components.prompts
    encode = prompts.encode

    def encode_or_nan(stages: list[PromptTexts], **options: Any) -> list[tuple[EncodedPrompt, ...]]:
        factor = torch.nan if stages[0].prompts == (prompt,) else 1
        return [
            tuple(replace(row, embeddings=row.embeddings * factor) for row in rows)
            for rows in encode(stages, **options)
        ]

    monkeypatch.setattr(prompts, "encode", encode_or_nan)


def test_an_image_of_nans_fails_its_own_request_only(
    start_loop: Callable[..., LoopHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = start_loop(fixed_batch_size=True)
    encode_prompt_as_nan(loop, monkeypatch)
    failing, healthy = loop.add_request(prompt="nan"), loop.add_request()
    loop.finish(healthy)
    with pytest.raises(InvalidOutputError, match="black or not finite"):
        failing.future.result(0)
    after = loop.add_request()
    assert loop.finish(healthy) == loop.finish(after)


def test_a_request_that_fails_its_forward_pass_fails_alone(
    loop: LoopHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode_prompt_as_nan(loop, monkeypatch)

    def reject_nan(_sample: torch.Tensor, embeddings: torch.Tensor) -> None:
        if embeddings.isnan().any():
            raise ValueError("NaN")

    loop.before_forward = reject_nan
    first, failing, last = loop.add_request(), loop.add_request(prompt="nan"), loop.add_request(seed=12)
    assert len(loop.finish(first, last)) == 2
    with pytest.raises(ValueError, match="NaN"):
        failing.future.result(0)


def test_the_loss_of_the_gpu_is_raised_and_fails_no_single_request(loop: LoopHarness) -> None:
    def lose_gpu(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.AcceleratorError("an illegal memory access was encountered", 700)

    loop.before_forward = lose_gpu
    tasks = [loop.add_request(), loop.add_request()]
    with pytest.raises(DeviceLostError):
        loop.step()
    assert not any(task.done for task in tasks)


def test_an_on_step_that_raises_fails_its_own_request_only(loop: LoopHarness) -> None:
    def fail(_done: int, _total: int) -> None:
        raise RuntimeError("on_step failed")

    failing, healthy = loop.add_request(callbacks=Callbacks(fail)), loop.add_request()
    loop.finish(healthy)
    assert loop.samples == [4] + [2] * 3
    with pytest.raises(RuntimeError, match="on_step failed"):
        failing.future.result(0)
