"""What does not fit the memory, and what is no picture: what is done about it, and that it is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from contract.problem import ErrorCode
from inference.engine.errors import InvalidOutputError, OutOfMemoryError
from tests.inference import tiny_models
from tests.inference.diffusion.denoising.loop_harness import Loop

pytestmark = pytest.mark.usefixtures("engine_cores")


def test_what_does_not_fit_is_drawn_in_smaller_buckets(loop: Loop) -> None:
    def refuse(sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if len(sample) > 4:
            raise torch.OutOfMemoryError

    loop.on_forward = refuse
    tasks = [loop.add_request(steps=2, seed=seed) for seed in range(8)]
    assert len(loop.finish(*tasks)) == 8
    assert loop.rows == [16, 8] + [4] * 8
    assert {task.future.result(0).batch_size for task in tasks} == {2}
    conceded = "batch size limited to 2: larger batches did not fit in GPU memory"
    assert {task.future.result(0).fallbacks for task in tasks} == {(conceded,)}


def test_what_fits_only_without_the_other_parts_is_drawn_without_them(
    start_loop: Callable[..., Loop], demo_model: Path
) -> None:
    """The same picture: where parts rest does not change what they do."""
    expected = start_loop(max_batch_size=1)
    (picture,) = expected.finish(expected.add_request())
    pipeline = tiny_models.sd(demo_model)
    loop, refusals = Loop(pipeline, max_batch_size=1), [torch.OutOfMemoryError()]

    def refuse(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if refusals:
            raise refusals.pop()

    loop.on_forward = refuse
    first, second = loop.add_request(), loop.add_request()
    assert loop.finish(first, second) == [picture, picture]
    assert all("model offloading" in task.future.result(0).fallbacks[0] for task in (first, second))
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
    task = loop.add_request()
    loop.finish()
    assert "VAE tiling" in task.future.result(0).fallbacks[0]
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
    task = loop.add_request()
    loop.finish()
    assert "float32" in task.future.result(0).fallbacks[0]
    assert tried == [torch.bfloat16, torch.float32]
    assert pipeline.vae.dtype == torch.bfloat16


def test_an_image_that_stays_black_is_an_error(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    loop, decode = Loop(pipeline), pipeline.vae.decode
    pipeline.vae.decode = lambda *arguments, **options: (torch.full_like(decode(*arguments)[0], -1.0),)
    task = loop.add_request()
    loop.finish()
    error = task.future.exception(0)
    assert isinstance(error, InvalidOutputError)
    assert error.code is ErrorCode.INVALID_OUTPUT


@pytest.mark.parametrize("batcher", [{"max_batch_size": 1}, {"fixed_batch_size": True}])
def test_what_does_not_fit_at_all_is_said_and_the_next_request_succeeds(
    start_loop: Callable[..., Loop], batcher: dict[str, Any]
) -> None:
    loop = start_loop(**batcher)

    def refuse(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.OutOfMemoryError

    loop.on_forward = refuse
    task = loop.add_request(count=2)
    loop.finish()
    with pytest.raises(OutOfMemoryError, match=r"2 image\(s\) of this size do not fit"):
        task.future.result(0)
    loop.on_forward = lambda sample, embeddings: None
    assert loop.finish(loop.add_request())


@pytest.mark.parametrize("part", ["text_encoder.forward", "vae.decode"])
def test_running_out_of_memory_before_or_after_the_steps_fails_that_request_alone(
    loop: Loop, tiny_sd: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    well = loop.add_request()

    def exhausted(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        component, method = part.split(".")
        patch.setattr(getattr(tiny_sd, component), method, exhausted)
        if part == "vae.decode":
            loop.step(2)
            sick, well = well, loop.add_request()
            loop.step(2)
        else:
            sick = loop.add_request(prompt="a blue square")
    loop.finish(well)
    error = sick.future.exception(0)
    assert isinstance(error, OutOfMemoryError)
    assert error.__cause__ is error.__context__ is None
