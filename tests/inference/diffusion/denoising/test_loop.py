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
from inference.diffusion.tasks.generation_task import Ticket
from inference.engine.errors import InvalidOutputError
from inference.engine.interface import AdapterFile, Adapters, Inputs
from tests.inference.diffusion.denoising.loop_harness import ROOM, Loop
from tests.inference.generations import landscape

pytestmark = pytest.mark.usefixtures("engine_cores")


def test_eight_requests_of_twenty_steps_cost_twenty_forwards(loop: Loop) -> None:
    tickets = [loop.admit(steps=20, seed=seed) for seed in range(8)]
    assert len(set(loop.finish(*tickets))) == 8
    assert loop.rows == [16] * 20
    assert {ticket.future.result(0).bucket for ticket in tickets} == {8}


def test_requests_join_between_steps_and_leave_when_they_are_done(loop: Loop) -> None:
    first = loop.admit(steps=4)
    loop.turn(2)
    second = loop.admit(steps=3, sampler="ddim")
    loop.turn(2)
    assert first.future.done()
    assert not second.future.done()
    loop.finish()
    assert loop.rows == [2, 2, 4, 4, 2]
    assert (first.future.result(0).bucket, second.future.result(0).bucket) == (2, 2)


def test_what_cannot_share_a_forward_does_not(loop: Loop) -> None:
    asked = [{}, {"width": 72}, {"guidance_scale": 0}, {"prompt": "a red BREAK circle"}]
    tickets = [loop.admit(steps=2, **request) for request in asked]
    loop.finish()
    assert sorted(loop.rows) == [1, 1, 2, 2, 2, 2, 2, 2]
    assert all(ticket.future.result(0).bucket == 1 for ticket in tickets)


def everything(loop: Loop) -> list[Ticket]:
    """One request of every sort."""
    circle = Image.new("L", (64, 64), "black")
    circle.paste("white", (20, 20, 50, 50))
    return [
        loop.admit(sampler="euler_a", seed=5),
        loop.admit(sampler="dpm2_a", seed=6, steps=3, prompt="a blue square"),
        loop.admit(Inputs(landscape()), sampler="ddim", strength=0.7, guidance_scale=3, seed=7),
        loop.admit(Inputs(landscape(), circle), sampler="euler_a", strength=0.9, seed=8),
        loop.admit(Inputs(landscape(), circle), sampler="heun", strength=1.0, seed=9),
        loop.admit(sampler="lms", negative_prompt="white", seed=10),
    ]


def test_at_a_fixed_bucket_an_image_does_not_depend_on_its_neighbours(
    start_loop: Callable[..., Loop],
) -> None:
    """Not even in the last bit of its latents."""
    crowded = start_loop(strict=True)
    crowded.admit(seed=99, steps=2, count=2)
    crowded.turn()
    together = everything(crowded)
    crowded.turn()
    late = crowded.admit(sampler="euler", seed=12)
    crowded.finish()
    assert {ticket.future.result(0).bucket for ticket in [*together, late]} == {ROOM}

    quiet = start_loop(strict=True)
    for index in range(len(together)):
        tickets = everything(quiet)
        for ticket in tickets[:index] + tickets[index + 1 :]:
            ticket.future.cancel()
        quiet.finish()
    quiet.admit(sampler="euler", seed=12)
    quiet.finish()
    assert sorted(crowded.latents[2:]) == sorted(quiet.latents)


def test_image_i_of_a_request_is_the_image_of_seed_plus_i(start_loop: Callable[..., Loop]) -> None:
    loop = start_loop(strict=True)
    many = loop.finish(loop.admit(seed=20, count=3, sampler="euler_a"))
    assert many == [loop.finish(loop.admit(seed=seed, sampler="euler_a"))[0] for seed in (20, 21, 22)]


def test_a_textual_inversion_draws_for_its_request_alone(loop: Loop, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(2, 32)}, tmp_path / "style.safetensors")
    style = AdapterFile("style", tmp_path / "style.safetensors", "1")
    request = {"prompt": "a style circle", "embeddings": ["style"]}
    plain = {"prompt": "a style circle"}
    before, within, after = (
        loop.finish(ticket)
        for ticket in (
            loop.admit(**plain),
            loop.admit(adapters=Adapters(embeddings=(style,)), **request),
            loop.admit(**plain),
        )
    )
    assert before == after != within


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"clip_skip": 3}, "#/clip_skip"), ({"prompt": "a BREAK " * (MAX_CHUNKS + 1)}, "#/prompt")],
)
def test_a_prompt_that_cannot_be_encoded_fails_alone(loop: Loop, asked: dict[str, Any], error: str) -> None:
    well, sick = loop.admit(), loop.admit(**asked)
    assert loop.finish(well)
    with pytest.raises(InvalidRequestError) as refused:
        sick.future.result(0)
    assert refused.value.errors[0].pointer == error


def test_every_evaluation_is_told_once_for_all_images_of_a_request(start_loop: Callable[..., Loop]) -> None:
    for max_bucket in (1, 2, 8):
        loop, heard = start_loop(max_bucket=max_bucket), []
        loop.admit(count=3, steps=3, sampler="heun", on_step=lambda *told, heard=heard: heard.append(told))
        loop.finish()
        assert heard == [(step, 5) for step in range(1, 6)]


def test_a_cancelled_request_leaves_before_the_next_step(loop: Loop) -> None:
    stays, leaves = loop.admit(steps=4), loop.admit(steps=4)
    loop.turn(2)
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
    loop = start_loop(strict=True)
    poison(loop, monkeypatch)
    sick, well = loop.admit(prompt="poison"), loop.admit()
    loop.finish(well)
    with pytest.raises(InvalidOutputError, match="black all over or no numbers"):
        sick.future.result(0)
    again = loop.admit()
    assert loop.finish(well) == loop.finish(again)


def test_a_request_that_breaks_its_bucket_fails_alone(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(loop, monkeypatch)

    def refuse(_sample: torch.Tensor, embeddings: torch.Tensor) -> None:
        if embeddings.isnan().any():
            raise ValueError("broken")

    loop.on_forward = refuse
    well, sick, other = loop.admit(), loop.admit(prompt="poison"), loop.admit(seed=12)
    assert len(loop.finish(well, other)) == 2
    with pytest.raises(ValueError, match="broken"):
        sick.future.result(0)


def test_the_loss_of_the_device_is_no_requests_fault(loop: Loop) -> None:
    def lose(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.AcceleratorError("an illegal memory access was encountered", 700)

    loop.on_forward = lose
    tickets = [loop.admit(), loop.admit()]
    with pytest.raises(DeviceLostError):
        loop.turn()
    assert not any(ticket.over for ticket in tickets)


def test_a_listener_that_fails_takes_its_request_with_it_alone(loop: Loop) -> None:
    def fail(_done: int, _total: int) -> None:
        raise RuntimeError("deaf")

    deaf, well = loop.admit(on_step=fail), loop.admit()
    loop.finish(well)
    assert loop.rows == [4] + [2] * 3
    with pytest.raises(RuntimeError, match="deaf"):
        deaf.future.result(0)
