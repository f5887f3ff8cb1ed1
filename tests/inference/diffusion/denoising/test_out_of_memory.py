"""Fallbacks for images that do not fit in GPU memory, and for invalid images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from contract.problem import ErrorCode
from inference.engine.errors import InvalidOutputError, OutOfMemoryError
from tests.inference import tiny_models
from tests.inference.diffusion.denoising.loop_harness import LoopHarness

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def test_batches_that_do_not_fit_are_halved(loop: LoopHarness) -> None:
    def fail_above_four(sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if len(sample) > 4:
            raise torch.OutOfMemoryError

    loop.before_forward = fail_above_four
    tasks = [loop.add_request(steps=2, seed=seed) for seed in range(8)]
    assert len(loop.finish(*tasks)) == 8
    assert loop.samples == [16, 8] + [4] * 8
    assert {task.future.result(0).batch_size for task in tasks} == {2}
    fallback = "batch size limited to 2: larger batches did not fit in GPU memory"
    assert {task.future.result(0).fallbacks for task in tasks} == {(fallback,)}


def test_modules_are_offloaded_when_a_batch_of_one_does_not_fit(
    start_loop: Callable[..., LoopHarness], demo_model: Path
) -> None:
    reference = start_loop(max_batch_size=1)
    (expected,) = reference.finish(reference.add_request())
    pipeline = tiny_models.sd(demo_model)
    loop, errors = LoopHarness(pipeline, max_batch_size=1), [torch.OutOfMemoryError()]

    def fail_once(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        if errors:
            raise errors.pop()

    loop.before_forward = fail_once
    first, second = loop.add_request(), loop.add_request()
    assert loop.finish(first, second) == [expected, expected]
    assert all("model offloading" in task.future.result(0).fallbacks[0] for task in (first, second))
    assert {hook.__class__.__name__ for hook in (pipeline.vae._hf_hook, pipeline.text_encoder._hf_hook)} == {
        "CpuOffload"
    }


def test_an_image_that_fits_only_in_tiles_is_decoded_with_vae_tiling(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    loop, decode, tiled = LoopHarness(pipeline), pipeline.vae.decode, []

    def fail_without_tiling(*arguments: Any, **options: Any) -> Any:
        tiled.append(pipeline.vae.use_tiling)
        if not pipeline.vae.use_tiling:
            raise torch.OutOfMemoryError
        return decode(*arguments, **options)

    pipeline.vae.decode = fail_without_tiling
    task = loop.add_request()
    loop.finish()
    assert "VAE tiling" in task.future.result(0).fallbacks[0]
    assert tiled == [False, True]
    assert not pipeline.vae.use_tiling


@pytest.mark.parametrize("invalid", [torch.nan, -1.0], ids=["nan", "black"])
def test_an_invalid_image_is_decoded_again_in_float32(demo_model: Path, invalid: float) -> None:
    pipeline = tiny_models.sd(demo_model)
    pipeline.vae.to(torch.bfloat16)
    loop, decode, dtypes = LoopHarness(pipeline), pipeline.vae.decode, []

    def invalid_in_half_precision(latents: torch.Tensor, **options: Any) -> Any:
        dtypes.append(latents.dtype)
        pixels = decode(latents, **options)[0]
        return (pixels if pixels.dtype == torch.float32 else torch.full_like(pixels, invalid),)

    pipeline.vae.decode = invalid_in_half_precision
    task = loop.add_request()
    loop.finish()
    assert "float32" in task.future.result(0).fallbacks[0]
    assert dtypes == [torch.bfloat16, torch.float32]
    assert pipeline.vae.dtype == torch.bfloat16


def test_an_image_that_is_black_in_float32_too_is_an_error(demo_model: Path) -> None:
    pipeline = tiny_models.sd(demo_model)
    loop, decode = LoopHarness(pipeline), pipeline.vae.decode
    pipeline.vae.decode = lambda *arguments, **options: (torch.full_like(decode(*arguments)[0], -1.0),)
    task = loop.add_request()
    loop.finish()
    error = task.future.exception(0)
    assert isinstance(error, InvalidOutputError)
    assert error.code is ErrorCode.INVALID_OUTPUT


@pytest.mark.parametrize("batcher", [{"max_batch_size": 1}, {"fixed_batch_size": True}])
def test_a_request_that_does_not_fit_at_all_fails_and_the_next_one_succeeds(
    start_loop: Callable[..., LoopHarness], batcher: dict[str, Any]
) -> None:
    loop = start_loop(**batcher)

    def fail(_sample: torch.Tensor, _embeddings: torch.Tensor) -> None:
        raise torch.OutOfMemoryError

    loop.before_forward = fail
    task = loop.add_request(count=2)
    loop.finish()
    with pytest.raises(OutOfMemoryError, match=r"2 image\(s\) of this size do not fit"):
        task.future.result(0)
    loop.before_forward = lambda sample, embeddings: None
    assert loop.finish(loop.add_request())


@pytest.mark.parametrize("function", ["text_encoder.forward", "vae.decode"])
def test_running_out_of_memory_in_the_text_encoder_or_vae_fails_that_request_only(
    loop: LoopHarness, tiny_sd: Any, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    healthy = loop.add_request()

    def run_out_of_memory(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        component, method = function.split(".")
        patch.setattr(getattr(tiny_sd, component), method, run_out_of_memory)
        if function == "vae.decode":
            loop.step(2)
            failing, healthy = healthy, loop.add_request()
            loop.step(2)
        else:
            failing = loop.add_request(prompt="a blue square")
    loop.finish(healthy)
    error = failing.future.exception(0)
    assert isinstance(error, OutOfMemoryError)
    assert error.__cause__ is error.__context__ is None
