"""Generations that are denoised together: what they cost, and that they leave each other alone."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from contract.generation import Generation, InvalidRequestError
from inference.diffusion.prompts.encoded_prompt import EncodedPrompt
from inference.diffusion.prompts.prompt_encoder import MAX_CHUNKS
from inference.diffusion.tasks.failures import DeviceLostError
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.engine.errors import InvalidOutputError
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference.diffusion.denoising.loop_harness import ROOM, Loop
from tests.inference.generations import landscape

pytestmark = pytest.mark.usefixtures("engine_cores")


def test_eight_requests_of_twenty_steps_cost_twenty_forwards(loop: Loop) -> None:
    tasks = [loop.add_request(steps=20, seed=seed) for seed in range(8)]
    assert len(set(loop.finish(*tasks))) == 8
    assert loop.rows == [16] * 20
    assert {task.future.result(0).batch_size for task in tasks} == {8}


def test_requests_join_between_steps_and_leave_when_they_are_done(loop: Loop) -> None:
    first = loop.add_request(steps=4)
    loop.step(2)
    second = loop.add_request(steps=3, sampler="ddim")
    loop.step(2)
    assert first.future.done()
    assert not second.future.done()
    loop.finish()
    assert loop.rows == [2, 2, 4, 4, 2]
    assert (first.future.result(0).batch_size, second.future.result(0).batch_size) == (2, 2)


def test_what_cannot_share_a_forward_does_not(loop: Loop) -> None:
    asked = [{}, {"width": 72}, {"guidance_scale": 0}, {"prompt": "a red BREAK circle"}]
    tasks = [loop.add_request(steps=2, **request) for request in asked]
    loop.finish()
    assert sorted(loop.rows) == [1, 1, 2, 2, 2, 2, 2, 2]
    assert all(task.future.result(0).batch_size == 1 for task in tasks)


def everything(loop: Loop) -> list[GenerationTask]:
    """One request of every sort."""
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


def test_at_a_fixed_bucket_an_image_does_not_depend_on_its_neighbours(
    start_loop: Callable[..., Loop],
) -> None:
    """Not even in the last bit of its latents."""
    crowded = start_loop(fixed_batch_size=True)
    crowded.add_request(seed=99, steps=2, count=2)
    crowded.step()
    together = everything(crowded)
    crowded.step()
    late = crowded.add_request(sampler="euler", seed=12)
    crowded.finish()
    assert {task.future.result(0).batch_size for task in [*together, late]} == {ROOM}

    quiet = start_loop(fixed_batch_size=True)
    for index in range(len(together)):
        tasks = everything(quiet)
        for task in tasks[:index] + tasks[index + 1 :]:
            task.future.cancel()
        quiet.finish()
    quiet.add_request(sampler="euler", seed=12)
    quiet.finish()
    assert sorted(crowded.latents[2:]) == sorted(quiet.latents)


def test_image_i_of_a_request_is_the_image_of_seed_plus_i(start_loop: Callable[..., Loop]) -> None:
    loop = start_loop(fixed_batch_size=True)
    many = loop.finish(loop.add_request(seed=20, count=3, sampler="euler_a"))
    assert many == [loop.finish(loop.add_request(seed=seed, sampler="euler_a"))[0] for seed in (20, 21, 22)]


def test_a_textual_inversion_draws_for_its_request_alone(loop: Loop, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(2, 32)}, tmp_path / "style.safetensors")
    style = AdapterFile("style", tmp_path / "style.safetensors", "1")
    request = {"prompt": "a style circle", "embeddings": ["style"]}
    plain = {"prompt": "a style circle"}
    before, within, after = (
        loop.finish(task)
        for task in (
            loop.add_request(**plain),
            loop.add_request(adapters=Adapters(embeddings=(style,)), **request),
            loop.add_request(**plain),
        )
    )
    assert before == after != within


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"clip_skip": 3}, "#/clip_skip"), ({"prompt": "a BREAK " * (MAX_CHUNKS + 1)}, "#/prompt")],
)
def test_a_prompt_that_cannot_be_encoded_fails_alone(loop: Loop, asked: dict[str, Any], error: str) -> None:
    well, sick = loop.add_request(), loop.add_request(**asked)
    assert loop.finish(well)
    with pytest.raises(InvalidRequestError) as refused:
        sick.future.result(0)
    assert refused.value.errors[0].pointer == error


def test_every_evaluation_is_told_once_for_all_images_of_a_request(start_loop: Callable[..., Loop]) -> None:
    for max_batch_size in (1, 2, 8):
        loop, heard = start_loop(max_batch_size=max_batch_size), []
        loop.add_request(
            count=3, steps=3, sampler="heun", on_step=lambda *told, heard=heard: heard.append(told)
        )
        loop.finish()
        assert heard == [(step, 5) for step in range(1, 6)]


def test_a_cancelled_request_leaves_before_the_next_step(loop: Loop) -> None:
    stays, leaves = loop.add_request(steps=4), loop.add_request(steps=4)
    loop.step(2)
    assert leaves.future.cancel()
    loop.finish(stays)
    assert loop.rows == [4, 4, 2, 2]
    with pytest.raises(CancelledError):
        leaves.future.result(0)


def poison(loop: Loop, monkeypatch: pytest.MonkeyPatch, words: str = "poison") -> None:
    """Makes the embedding of the words no numbers."""
    prompts = loop.components.prompts
    encode = prompts.encode

    def poisoned(generation: Generation, **options: Any) -> tuple[EncodedPrompt, ...]:
        factor = torch.nan if generation.prompt == words else 1
        return tuple(
            replace(row, embeddings=row.embeddings * factor) for row in encode(generation, **options)
        )

    monkeypatch.setattr(prompts, "encode", poisoned)


def test_an_image_of_no_numbers_fails_alone(
    start_loop: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = start_loop(fixed_batch_size=True)
    poison(loop, monkeypatch)
    sick, well = loop.add_request(prompt="poison"), loop.add_request()
    loop.finish(well)
    with pytest.raises(InvalidOutputError, match="black or not finite"):
        sick.future.result(0)
    again = loop.add_request()
    assert loop.finish(well) == loop.finish(again)


def test_a_request_that_breaks_its_bucket_fails_alone(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(loop, monkeypatch)

    def refuse(_sample: torch.Tensor, embeddings: torch.Tensor) -> None:
        if embeddings.isnan().any():
            raise ValueError("broken")

    loop.on_forward = refuse
    well, sick, other = loop.add_request(), loop.add_request(prompt="poison"), loop.add_request(seed=12)
    assert len(loop.finish(well, other)) == 2
    with pytest.raises(ValueError, match="broken"):
        sick.future.result(0)


def test_the_loss_of_the_device_is_no_requests_fault(loop: Loop) -> None:
    def lose(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.AcceleratorError("an illegal memory access was encountered", 700)

    loop.on_forward = lose
    tasks = [loop.add_request(), loop.add_request()]
    with pytest.raises(DeviceLostError):
        loop.step()
    assert not any(task.done for task in tasks)


def test_a_listener_that_fails_takes_its_request_with_it_alone(loop: Loop) -> None:
    def fail(_done: int, _total: int) -> None:
        raise RuntimeError("deaf")

    deaf, well = loop.add_request(on_step=fail), loop.add_request()
    loop.finish(well)
    assert loop.rows == [4] + [2] * 3
    with pytest.raises(RuntimeError, match="deaf"):
        deaf.future.result(0)
