"""UpscalingLoop with a model: one tile a turn, beside those that draw."""

import threading
from collections.abc import Iterator
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
from inference.diffusion.upscaling.upscaler import LARGEST_TILE, Upscaler
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.errors import InvalidOutputError, OutOfMemoryError
from inference.engine.interface import Inputs
from tests.inference import tiny_models, tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import (
    CPU,
    POINTER,
    Desk,
    Idle,
    picture,
    upscaler_of,
    watch,
)
from tests.inference.generations import InlineExecutor, generation_of

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def engine() -> Iterator[EngineThread]:
    engine = EngineThread(Idle(), UpscalingLoop(CPU))
    yield engine
    engine.close()


def test_one_pass_is_brought_to_the_exact_size(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    double = desk.upscale(upscaler, picture((64, 48)), (128, 96))
    smaller = desk.upscale(upscaler, picture((64, 48)), (101, 77))
    assert smaller.tobytes() == double.resize((101, 77), Image.Resampling.LANCZOS).tobytes()


@pytest.mark.parametrize(
    ("size", "passes"), [((128, 96), 1), ((129, 96), 2), ((256, 192), 2), ((512, 384), 2)]
)
def test_what_falls_short_goes_through_the_model_a_second_time(
    desk: Desk, tmp_path: Path, size: tuple[int, int], passes: int
) -> None:
    upscaler = upscaler_of(tmp_path, largest_tile=LARGEST_TILE)
    shown: list[tuple[int, ...]] = []
    watch(upscaler, shown.append)
    upscaled = desk.upscale(upscaler, picture((64, 48)), size)
    assert shown == [(48, 64), (96, 128)][:passes]
    by_hand = picture((64, 48))
    for factor in (2, 4)[:passes]:
        by_hand = desk.upscale(upscaler, by_hand, (64 * factor, 48 * factor))
    expected = by_hand if by_hand.size == size else by_hand.resize(size, Image.Resampling.LANCZOS)
    assert upscaled.tobytes() == expected.tobytes()


def test_a_model_that_restores_goes_first_and_its_result_is_scaled(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path, tiny_upscalers.network(scale=1))
    assert upscaler.scale == 1
    restored = desk.upscale(upscaler, picture((64, 48)), (64, 48))
    upscaled = desk.upscale(upscaler, picture((64, 48)), (160, 120))
    assert upscaled.tobytes() == restored.resize((160, 120), Image.Resampling.LANCZOS).tobytes()


def test_tiles_and_steps_take_batcher(demo_model: Path, tmp_path: Path) -> None:
    events: list[str] = []
    pipeline = tiny_models.sd(demo_model)
    pipeline.unet.register_forward_pre_hook(lambda *_: events.append("step"))
    drawing = DenoisingLoop(Components.of(pipeline), Batcher(max_batch_size=8))
    desk, upscaler = Desk(), upscaler_of(tmp_path)
    watch(upscaler, lambda _shape: events.append("tile"))
    workers = RoundRobin(drawing, desk.upscaling)
    task = GenerationTask(
        generation_of(steps=4), Inputs(), lambda done, total: None, callback_executor=InlineExecutor()
    )
    with torch.inference_mode():
        drawing.add_request(task)
        future = desk.order(upscaler, picture(), (320, 200))
        while workers.has_unfinished_requests:
            workers.step()
    assert events == ["step", "tile"] * 4 + ["tile"] * 2
    assert task.future.result(0).images
    assert future.result(0).size == (320, 200)


def test_pictures_are_enlarged_in_the_order_of_their_arrival(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    first, second = (desk.order(upscaler, picture((64, 48)), (128, 96)) for _ in range(2))
    desk.step()
    assert first.done()
    assert not second.done()
    desk.step()
    assert second.result(0).tobytes() == first.result(0).tobytes()


def test_cancelling_frees_the_device_before_the_next_tile(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    tiles: list[tuple[int, ...]] = []
    watch(upscaler, tiles.append)
    future = desk.order(upscaler, picture(), (320, 200))
    desk.step()
    desk.step()
    assert future.cancel()
    desk.step()
    assert not desk.upscaling.has_unfinished_requests
    assert len(tiles) == 2


def fail_above(upscaler: Upscaler, pixels: int) -> list[tuple[int, ...]]:
    """Gives the model a memory that holds tiles of so many pixels a side, and tells what it was shown."""
    shown: list[tuple[int, ...]] = []

    def before(shape: tuple[int, ...]) -> None:
        shown.append(shape)
        if max(shape) > pixels:
            raise torch.OutOfMemoryError

    watch(upscaler, before)
    return shown


def test_where_memory_does_not_suffice_tiles_become_smaller_and_stay_so(desk: Desk, tmp_path: Path) -> None:
    whole = desk.upscale(upscaler_of(tmp_path, largest_tile=LARGEST_TILE), picture(), (320, 200))
    upscaler = upscaler_of(tmp_path, largest_tile=LARGEST_TILE)
    shown = fail_above(upscaler, 100)
    futures = [desk.order(upscaler, picture(), (320, 200)) for _ in range(2)]
    while desk.upscaling.has_unfinished_requests:
        desk.step()
    assert [future.result(0).tobytes() for future in futures] == [whole.tobytes()] * 2
    assert shown == [(100, 160)] * 2 + [(82, 96)] * 12


def test_where_not_even_a_small_tile_fits_it_is_said_and_the_next_picture_is_enlarged(
    desk: Desk, tmp_path: Path
) -> None:
    upscaler = upscaler_of(tmp_path, largest_tile=LARGEST_TILE)
    fail_above(upscaler, 70)
    out_of_memory_detail = desk.order(upscaler, picture(), (320, 200))
    small = desk.order(upscaler, picture((64, 48)), (128, 96))
    while desk.upscaling.has_unfinished_requests:
        desk.step()
    with pytest.raises(OutOfMemoryError, match="does not fit the accelerator's memory"):
        out_of_memory_detail.result(0)
    assert small.result(0).size == (128, 96)


def test_numbers_that_are_none_are_no_picture(desk: Desk, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    with torch.no_grad():
        next(net.parameters()).fill_(float("nan"))
    with pytest.raises(InvalidOutputError, match="another upscaler may help"):
        desk.upscale(upscaler_of(tmp_path, net), picture((64, 48)), (128, 96))


@pytest.mark.parametrize(("device", "supported", "expected"), [
    ("cpu", True, torch.float32),
    ("cuda", True, torch.float16),
    ("cuda", False, torch.float32),
])  # fmt: skip
def test_half_precision_is_for_accelerators_and_models_that_support_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, supported: bool, expected: torch.dtype
) -> None:
    upscaler = upscaler_of(tmp_path)
    upscaler._model.supports_half = supported
    moves: list[tuple[Any, ...]] = []
    monkeypatch.setattr(upscaler._model, "to", lambda *where: moves.append(where))
    upscaler.move_to_device(torch.device(device))
    assert moves == [(torch.device(device), expected)]


def test_closing_finishes_the_pictures_that_were_taken(tmp_path: Path) -> None:
    engine = EngineThread(Idle(), UpscalingLoop(CPU))
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    begun, gate = threading.Event(), threading.Event()

    def wait(_shape: tuple[int, ...]) -> None:
        begun.set()
        assert gate.wait(20)

    watch(engine._upscaling.upscalers.load(file, pointer=POINTER), wait)
    upscale = engine.upscaler(file, pointer=POINTER)
    futures = [upscale(picture((64, 48)), (128, 96)) for _ in range(2)]
    assert begun.wait(20)
    gate.set()
    engine.close()
    assert [future.result(0).size for future in futures] == [(128, 96)] * 2
    with pytest.raises(ProblemError, match="shutting down"):
        upscale(picture(), (320, 200))


def test_what_goes_wrong_with_one_picture_is_its_own_affair(engine: EngineThread, tmp_path: Path) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    upscale = engine.upscaler(file, pointer=POINTER)
    grey = upscale(Image.new("L", (64, 48)), (128, 96))
    good = upscale(picture((64, 48)), (128, 96))
    assert isinstance(grey.exception(20), RuntimeError)
    assert good.result(20).size == (128, 96)
