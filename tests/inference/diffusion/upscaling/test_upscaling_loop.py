"""The upscaling loop: passes, tiles, order, cancellation and failures."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from contract.problem import ProblemError
from inference.diffusion.denoising.batcher import Batcher
from inference.diffusion.denoising.components import Components
from inference.diffusion.denoising.loop import DenoisingLoop
from inference.diffusion.engine_thread import EngineThread, RoundRobin
from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.upscaling.tiles import Tile, TileBlender
from inference.diffusion.upscaling.upscaler import MAX_TILE_SIZE, Upscaler
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.errors import InvalidOutputError, OutOfMemoryError
from inference.engine.interface import Inputs
from tests.inference import tiny_models, tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import (
    CPU,
    POINTER,
    UnusedWorker,
    UpscalingHarness,
    call_before_forward,
    create_upscaler,
    noise_image,
)
from tests.inference.generations import NO_CALLBACKS, InlineExecutor, generation_of
from tests.waiting import LIMIT_S, wait_until

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def test_the_result_is_resized_to_the_exact_size(harness: UpscalingHarness, tmp_path: Path) -> None:
    upscaler = create_upscaler(tmp_path)
    double = harness.upscale(upscaler, noise_image((64, 48)), (128, 96))
    smaller = harness.upscale(upscaler, noise_image((64, 48)), (101, 77))
    assert smaller.tobytes() == double.resize((101, 77), Image.Resampling.LANCZOS).tobytes()


@pytest.mark.parametrize(
    ("size", "passes"), [((128, 96), 1), ((129, 96), 2), ((256, 192), 2), ((512, 384), 2)]
)
def test_an_image_that_is_still_too_small_takes_a_second_pass(
    harness: UpscalingHarness, tmp_path: Path, size: tuple[int, int], passes: int
) -> None:
    upscaler = create_upscaler(tmp_path, max_tile_size=MAX_TILE_SIZE)
    tiles: list[tuple[int, ...]] = []
    call_before_forward(upscaler, tiles.append)
    upscaled = harness.upscale(upscaler, noise_image((64, 48)), size)
    assert tiles == [(48, 64), (96, 128)][:passes]
    exact = noise_image((64, 48))
    for factor in (2, 4)[:passes]:
        exact = harness.upscale(upscaler, exact, (64 * factor, 48 * factor))
    expected = exact if exact.size == size else exact.resize(size, Image.Resampling.LANCZOS)
    assert upscaled.tobytes() == expected.tobytes()


def test_the_output_of_a_restoration_model_is_resized(harness: UpscalingHarness, tmp_path: Path) -> None:
    upscaler = create_upscaler(tmp_path, tiny_upscalers.network(scale=1))
    assert upscaler.scale == 1
    restored = harness.upscale(upscaler, noise_image((64, 48)), (64, 48))
    upscaled = harness.upscale(upscaler, noise_image((64, 48)), (160, 120))
    assert upscaled.tobytes() == restored.resize((160, 120), Image.Resampling.LANCZOS).tobytes()


def test_tiles_alternate_with_denoising_steps(demo_model: Path, tmp_path: Path) -> None:
    events: list[str] = []
    pipeline = tiny_models.sd(demo_model)
    pipeline.unet.register_forward_pre_hook(lambda *_: events.append("step"))
    generation = DenoisingLoop(Components.of(pipeline), Batcher(max_batch_size=8))
    harness, upscaler = UpscalingHarness(), create_upscaler(tmp_path)
    call_before_forward(upscaler, lambda _shape: events.append("tile"))
    workers = RoundRobin(generation, harness.loop)
    task = GenerationTask(generation_of(steps=4), Inputs(), NO_CALLBACKS, callback_executor=InlineExecutor())
    with torch.inference_mode():
        generation.add_request(task)
        future = harness.add_request(upscaler, noise_image(), (320, 200))
        while workers.has_unfinished_requests:
            workers.step()
    assert events == ["step", "tile"] * 4 + ["tile"] * 2
    assert task.future.result(0).images
    assert future.result(0).size == (320, 200)


def test_images_are_upscaled_in_the_order_of_their_arrival(harness: UpscalingHarness, tmp_path: Path) -> None:
    upscaler = create_upscaler(tmp_path)
    first, second = (harness.add_request(upscaler, noise_image((64, 48)), (128, 96)) for _ in range(2))
    harness.step()
    assert first.done()
    assert not second.done()
    harness.step()
    assert second.result(0).tobytes() == first.result(0).tobytes()


def test_a_cancelled_task_takes_no_further_tile(harness: UpscalingHarness, tmp_path: Path) -> None:
    upscaler = create_upscaler(tmp_path)
    tiles: list[tuple[int, ...]] = []
    call_before_forward(upscaler, tiles.append)
    future = harness.add_request(upscaler, noise_image(), (320, 200))
    harness.step()
    harness.step()
    assert future.cancel()
    harness.step()
    assert not harness.loop.has_unfinished_requests
    assert len(tiles) == 2


def run_out_of_memory_above(upscaler: Upscaler, pixels: int) -> list[tuple[int, ...]]:
    """Makes larger tiles run out of memory; returns the list to which the size of each tile is added."""
    tiles: list[tuple[int, ...]] = []

    def check(size: tuple[int, ...]) -> None:
        tiles.append(size)
        if max(size) > pixels:
            raise torch.OutOfMemoryError

    call_before_forward(upscaler, check)
    return tiles


def test_out_of_memory_reduces_the_tile_size_permanently(harness: UpscalingHarness, tmp_path: Path) -> None:
    whole = harness.upscale(create_upscaler(tmp_path, max_tile_size=MAX_TILE_SIZE), noise_image(), (320, 200))
    upscaler = create_upscaler(tmp_path, max_tile_size=MAX_TILE_SIZE)
    tiles = run_out_of_memory_above(upscaler, 100)
    futures = [harness.add_request(upscaler, noise_image(), (320, 200)) for _ in range(2)]
    while harness.loop.has_unfinished_requests:
        harness.step()
    assert [future.result(0).tobytes() for future in futures] == [whole.tobytes()] * 2
    assert tiles == [(100, 160)] * 2 + [(82, 96)] * 12


def test_a_task_whose_smallest_tile_does_not_fit_fails_and_the_next_one_succeeds(
    harness: UpscalingHarness, tmp_path: Path
) -> None:
    upscaler = create_upscaler(tmp_path, max_tile_size=MAX_TILE_SIZE)
    run_out_of_memory_above(upscaler, 70)
    failing = harness.add_request(upscaler, noise_image(), (320, 200))
    small = harness.add_request(upscaler, noise_image((64, 48)), (128, 96))
    while harness.loop.has_unfinished_requests:
        harness.step()
    with pytest.raises(OutOfMemoryError, match="does not fit in GPU memory"):
        failing.result(0)
    assert small.result(0).size == (128, 96)


def test_an_output_with_nan_values_fails_the_task(harness: UpscalingHarness, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    with torch.no_grad():
        next(net.parameters()).fill_(float("nan"))
    with pytest.raises(InvalidOutputError, match="contains NaN values; use another upscaler"):
        harness.upscale(create_upscaler(tmp_path, net), noise_image((64, 48)), (128, 96))


@pytest.mark.parametrize(("device", "supported", "expected"), [
    ("cpu", True, torch.float32),
    ("cuda", True, torch.float16),
    ("cuda", False, torch.float32),
])  # fmt: skip
def test_float16_is_used_on_gpus_by_models_that_support_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, supported: bool, expected: torch.dtype
) -> None:
    upscaler = create_upscaler(tmp_path)
    upscaler._model.supports_half = supported
    moves: list[tuple[Any, ...]] = []
    monkeypatch.setattr(upscaler._model, "to", lambda *arguments: moves.append(arguments))
    upscaler.move_to_device(torch.device(device))
    assert moves == [(torch.device(device), expected)]


def test_closing_finishes_the_accepted_images(tmp_path: Path) -> None:
    engine = EngineThread(UnusedWorker(), UpscalingLoop(CPU))
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    begun, gate = threading.Event(), threading.Event()

    def wait(_shape: tuple[int, ...]) -> None:
        begun.set()
        assert gate.wait(LIMIT_S)

    call_before_forward(engine._upscaling.upscalers.load(file, pointer=POINTER), wait)
    upscale = engine.upscaler(file, pointer=POINTER)
    futures = [upscale(noise_image((64, 48)), (128, 96)) for _ in range(2)]
    assert begun.wait(LIMIT_S)
    closing = threading.Thread(target=engine.close)
    closing.start()
    wait_until(lambda: engine._closed)
    gate.set()
    closing.join(LIMIT_S)
    assert [future.result(0).size for future in futures] == [(128, 96)] * 2
    with pytest.raises(ProblemError, match="shutting down"):
        upscale(noise_image(), (320, 200))


def test_pixels_are_read_and_blended_outside_the_engine_thread(
    engine: EngineThread, harness: UpscalingHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    expected = harness.upscale(
        engine._upscaling.upscalers.load(file, pointer=POINTER), noise_image(), (640, 400)
    )
    threads: set[str] = set()
    add = TileBlender.add

    def record_thread(blender: TileBlender, upscaled: Image.Image, tile: Tile) -> None:
        threads.add(threading.current_thread().name)
        add(blender, upscaled, tile)

    monkeypatch.setattr(TileBlender, "add", record_thread)
    upscaled = engine.upscaler(file, pointer=POINTER)(noise_image(), (640, 400)).result(LIMIT_S)
    assert upscaled.tobytes() == expected.tobytes()
    assert threads == {"callbacks_0"}


def test_a_failed_image_does_not_affect_the_next_one(engine: EngineThread, tmp_path: Path) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    upscale = engine.upscaler(file, pointer=POINTER)
    failing = upscale(Image.new("L", (64, 48)), (128, 96))
    succeeding = upscale(noise_image((64, 48)), (128, 96))
    assert isinstance(failing.exception(LIMIT_S), RuntimeError)
    assert succeeding.result(LIMIT_S).size == (128, 96)
