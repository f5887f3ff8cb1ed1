"""Generations that are denoised together: what they cost, and that they leave each other alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from inference.contract.generation import Generation, InvalidRequestError
from inference.contract.problem import ErrorCode
from inference.denoising.components import Components
from inference.denoising.failures import DeviceLostError
from inference.denoising.loop import DenoisingLoop
from inference.denoising.prompts.encoded import EncodedPrompt
from inference.denoising.prompts.prompt_encoder import MAX_CHUNKS
from inference.denoising.ticket import Ticket
from inference.denoising.turns import Turns
from inference.engine import AdapterFile, Adapters, Inputs, InvalidOutputError, OutOfMemoryError
from tests.inference import tiny_models
from tests.inference.drawing import Inline, generation_of, landscape

pytestmark = pytest.mark.usefixtures("engine_cores")
ROOM = 8


class Loop:
    """A loop that a test turns by hand, and the rows of every forward that it has taken."""

    def __init__(self, pipeline: Any, **turns: Any) -> None:
        self.components = components = Components.of(pipeline)
        self.loop = DenoisingLoop(components, Turns(**{"max_bucket": ROOM} | turns))
        self.latents: list[bytes] = []
        self._decode = components.autoencoder.decode
        components.autoencoder.decode = self._record  # type: ignore[method-assign]
        self.rows: list[int] = []
        self.on_forward: Callable[[torch.Tensor, torch.Tensor], None] = lambda sample, embeddings: None
        self._hook = pipeline.unet.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _unet: Any, arguments: Any, options: Any) -> None:
        self.rows.append(len(arguments[0]))
        self.on_forward(arguments[0], options["encoder_hidden_states"])

    def _record(self, latents: torch.Tensor, concede: Any) -> Any:
        self.latents.append(latents.numpy().tobytes())
        return self._decode(latents, concede)

    def admit(
        self,
        inputs: Inputs | None = None,
        on_step: Any = None,
        adapters: Adapters | None = None,
        **request: Any,
    ) -> Ticket:
        generation = generation_of(from_image=inputs is not None, **request)
        inputs = inputs or Inputs(adapters=adapters or Adapters())
        ticket = Ticket(generation, inputs, on_step or (lambda *_: None), messenger=Inline())
        with torch.inference_mode():
            self.loop.admit(ticket)
        return ticket

    def turn(self, times: int = 1) -> None:
        with torch.inference_mode():
            for _ in range(times):
                self.loop.turn()

    def finish(self, *tickets: Ticket) -> list[bytes]:
        """The pixels of the tickets' images, one ticket after the other."""
        while self.loop.busy:
            self.turn()
        return [image.tobytes() for ticket in tickets for image in ticket.future.result(0).images]

    def close(self) -> None:
        self._hook.remove()


@pytest.fixture(scope="module")
def pipeline(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model)


@pytest.fixture
def start(pipeline: Any) -> Iterator[Callable[..., Loop]]:
    loops = []

    def start(**turns: Any) -> Loop:
        loops.append(Loop(pipeline, **turns))
        return loops[-1]

    yield start
    for loop in loops:
        loop.close()


@pytest.fixture
def loop(start: Callable[..., Loop]) -> Loop:
    return start()


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


def test_at_a_fixed_bucket_an_image_does_not_depend_on_its_neighbours(start: Callable[..., Loop]) -> None:
    """Not even in the last bit of its latents."""
    crowded = start(strict=True)
    crowded.admit(seed=99, steps=2, count=2)
    crowded.turn()
    together = everything(crowded)
    crowded.turn()
    late = crowded.admit(sampler="euler", seed=12)
    crowded.finish()
    assert {ticket.future.result(0).bucket for ticket in [*together, late]} == {ROOM}

    quiet = start(strict=True)
    for index in range(len(together)):
        tickets = everything(quiet)
        for ticket in tickets[:index] + tickets[index + 1 :]:
            ticket.future.cancel()
        quiet.finish()
    quiet.admit(sampler="euler", seed=12)
    quiet.finish()
    assert sorted(crowded.latents[2:]) == sorted(quiet.latents)


def test_image_i_of_a_request_is_the_image_of_seed_plus_i(start: Callable[..., Loop]) -> None:
    loop = start(strict=True)
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


def test_every_evaluation_is_told_once_for_all_images_of_a_request(start: Callable[..., Loop]) -> None:
    for max_bucket in (1, 2, 8):
        loop, heard = start(max_bucket=max_bucket), []
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
    start: Callable[..., Loop], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = start(strict=True)
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


def test_what_does_not_fit_is_drawn_in_smaller_buckets(loop: Loop) -> None:
    def refuse(sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if len(sample) > 4:
            raise torch.OutOfMemoryError

    loop.on_forward = refuse
    tickets = [loop.admit(steps=2, seed=seed) for seed in range(8)]
    assert len(loop.finish(*tickets)) == 8
    assert loop.rows == [16, 8] + [4] * 8
    assert {ticket.future.result(0).bucket for ticket in tickets} == {2}
    conceded = "steps shared by at most 2 image(s): more did not fit the memory"
    assert {ticket.future.result(0).concessions for ticket in tickets} == {(conceded,)}


def test_what_fits_only_without_the_other_parts_is_drawn_without_them(
    start: Callable[..., Loop], demo_model: Path
) -> None:
    """The same picture: where parts rest does not change what they do."""
    expected = start(max_bucket=1)
    (picture,) = expected.finish(expected.admit())
    pipeline = tiny_models.sd(demo_model)
    loop, refusals = Loop(pipeline, max_bucket=1), [torch.OutOfMemoryError()]

    def refuse(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if refusals:
            raise refusals.pop()

    loop.on_forward = refuse
    first, second = loop.admit(), loop.admit()
    assert loop.finish(first, second) == [picture, picture]
    assert all("moved off" in ticket.future.result(0).concessions[0] for ticket in (first, second))
    assert {hook.__class__.__name__ for hook in (pipeline.vae._hf_hook, pipeline.text_encoder._hf_hook)} == {
        "CpuOffload"
    }


def test_an_image_that_fits_only_in_tiles_is_decoded_in_tiles(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    loop, decode, tiled = Loop(pipeline), pipeline.vae.decode, []

    def decode_in_tiles(*arguments: Any, **options: Any) -> Any:
        tiled.append(pipeline.vae.use_tiling)
        if not pipeline.vae.use_tiling:
            raise torch.OutOfMemoryError
        return decode(*arguments, **options)

    pipeline.vae.decode = decode_in_tiles
    ticket = loop.admit()
    loop.finish()
    assert "in tiles" in ticket.future.result(0).concessions[0]
    assert tiled == [False, True]
    assert not pipeline.vae.use_tiling


@pytest.mark.parametrize("pixels", [torch.nan, -1.0], ids=["no numbers", "black"])
def test_no_picture_is_tried_once_more_in_full_precision(demo_model: Path, pixels: float) -> None:
    pipeline = tiny_models.sd(demo_model)
    pipeline.vae.to(torch.bfloat16)
    loop, decode, tried = Loop(pipeline), pipeline.vae.decode, []

    def overflow(latents: torch.Tensor, **options: Any) -> Any:
        tried.append(latents.dtype)
        drawn = decode(latents, **options)[0]
        return (drawn if drawn.dtype == torch.float32 else torch.full_like(drawn, pixels),)

    pipeline.vae.decode = overflow
    ticket = loop.admit()
    loop.finish()
    assert "full precision" in ticket.future.result(0).concessions[0]
    assert tried == [torch.bfloat16, torch.float32]
    assert pipeline.vae.dtype == torch.bfloat16


def test_an_image_that_stays_black_is_an_error(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    loop, decode = Loop(pipeline), pipeline.vae.decode
    pipeline.vae.decode = lambda *arguments, **options: (torch.full_like(decode(*arguments)[0], -1.0),)
    ticket = loop.admit()
    loop.finish()
    error = ticket.future.exception(0)
    assert isinstance(error, InvalidOutputError)
    assert error.code is ErrorCode.INVALID_OUTPUT


@pytest.mark.parametrize("turns", [{"max_bucket": 1}, {"strict": True}])
def test_what_does_not_fit_at_all_is_said_and_the_next_request_succeeds(
    start: Callable[..., Loop], turns: dict[str, Any]
) -> None:
    loop = start(**turns)

    def refuse(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.OutOfMemoryError

    loop.on_forward = refuse
    ticket = loop.admit(count=2)
    loop.finish()
    with pytest.raises(OutOfMemoryError, match=r"2 image\(s\) of this size do not fit"):
        ticket.future.result(0)
    loop.on_forward = lambda sample, embeddings: None
    assert loop.finish(loop.admit())


def test_the_loss_of_the_device_is_no_requests_fault(loop: Loop) -> None:
    def lose(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.AcceleratorError("an illegal memory access was encountered", 700)

    loop.on_forward = lose
    tickets = [loop.admit(), loop.admit()]
    with pytest.raises(DeviceLostError):
        loop.turn()
    assert not any(ticket.over for ticket in tickets)


@pytest.mark.parametrize("part", ["text_encoder.forward", "vae.decode"])
def test_running_out_of_memory_before_or_after_the_steps_fails_that_request_alone(
    loop: Loop, pipeline: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    well = loop.admit()

    def exhausted(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        component, method = part.split(".")
        patch.setattr(getattr(pipeline, component), method, exhausted)
        if part == "vae.decode":
            loop.turn(2)
            sick, well = well, loop.admit()
            loop.turn(2)
        else:
            sick = loop.admit(prompt="a blue square")
    loop.finish(well)
    error = sick.future.exception(0)
    assert isinstance(error, OutOfMemoryError)
    assert error.__cause__ is error.__context__ is None


def test_a_listener_that_fails_takes_its_request_with_it_alone(loop: Loop) -> None:
    def fail(_done: int, _total: int) -> None:
        raise RuntimeError("deaf")

    deaf, well = loop.admit(on_step=fail), loop.admit()
    loop.finish(well)
    assert loop.rows == [4] + [2] * 3
    with pytest.raises(RuntimeError, match="deaf"):
        deaf.future.result(0)
