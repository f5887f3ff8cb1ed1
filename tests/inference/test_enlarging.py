"""Models that enlarge pictures: read with care, shown one tile a turn, beside those that draw."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inference.contract.problem import ErrorCode, ProblemError
from inference.denoising.components import Components
from inference.denoising.cores import spare_a_core
from inference.denoising.device import DeviceThread
from inference.denoising.enlarging import reading, upscalers
from inference.denoising.enlarging.enlargement import Enlargement
from inference.denoising.enlarging.library import load_spandrel
from inference.denoising.enlarging.reading import read_upscaler
from inference.denoising.enlarging.tiles import MARGIN, OVERLAP, _spans, tiles_of
from inference.denoising.enlarging.upscaler import LARGEST_TILE, Upscaler
from inference.denoising.enlarging.upscalers import Upscalers
from inference.denoising.enlarging.work import Enlarging
from inference.denoising.loop import DenoisingLoop
from inference.denoising.shift import Shift
from inference.denoising.ticket import Ticket
from inference.denoising.turns import Turns
from inference.engine import AdapterFile, Inputs, InvalidOutputError, OutOfMemoryError
from tests.conftest import ROOT
from tests.inference import tiny_models, tiny_upscalers
from tests.inference.drawing import Inline, generation_of

CPU = torch.device("cpu")
POINTER = "#/upscale/upscaler"


def picture(size: tuple[int, int] = (160, 100)) -> Image.Image:
    """Every pixel another colour, so that every seam would show."""
    noise = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def upscaler_of(directory: Path, net: torch.nn.Module | None = None, *, largest_tile: int = 96) -> Upscaler:
    file = tiny_upscalers.save(directory, net or tiny_upscalers.network())
    upscaler = read_upscaler(file, pointer=POINTER)
    upscaler.largest_tile = largest_tile
    return upscaler


def watch(upscaler: Upscaler, before: Callable[[tuple[int, ...]], None]) -> None:
    """Tells of the size of every tile that the model is shown, (height, width)."""
    upscaler._model.model.register_forward_pre_hook(lambda _model, inputs: before(tuple(inputs[0].shape[2:])))


class Desk:
    """The device's works in the test's own thread, which takes the turns."""

    def __init__(self) -> None:
        self.enlarging = Enlarging(CPU)

    def order(self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]) -> Future[Image.Image]:
        enlargement = Enlargement(upscaler, image, size, messenger=Inline())
        self.enlarging.admit(enlargement)
        return enlargement.future

    @torch.inference_mode()
    def turn(self) -> None:
        self.enlarging.turn()

    def enlarge(self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        future = self.order(upscaler, image, size)
        while self.enlarging.busy:
            self.turn()
        return future.result(0)


@pytest.fixture(autouse=True, scope="module")
def _as_many_cores_as_the_engine() -> Iterator[None]:
    cores = torch.get_num_threads()
    spare_a_core()
    yield
    torch.set_num_threads(cores)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def engine() -> Iterator[DeviceThread]:
    engine = DeviceThread(Idle(), Enlarging(CPU))
    yield engine
    engine.close()


class Idle:
    """Draws nothing."""

    busy = False

    def admit(self, ticket: Ticket) -> None:
        raise AssertionError

    def turn(self) -> None:
        raise AssertionError


def test_the_library_is_imported_without_torchvision_and_leaves_no_trace_of_having_missed_it() -> None:
    code = """
import sys
from inference.denoising.enlarging.library import load_spandrel
assert not any(name.startswith("spandrel") for name in sys.modules)
spandrel = load_spandrel()
assert load_spandrel() is spandrel
assert len(spandrel.MAIN_REGISTRY) > 30
assert not [name for name in sys.modules if name.startswith("torchvision")]
assert not {"spandrel.architectures.LaMa", "spandrel.architectures.RestoreFormer"} & set(sys.modules)
from transformers.utils import is_torchvision_available
assert not is_torchvision_available()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, cwd="/", check=True)


@given(length=st.integers(1, 5000), largest=st.integers(OVERLAP + 1, LARGEST_TILE))
def test_spans_of_one_length_cover_a_side_and_overlap(length: int, largest: int) -> None:
    spans = _spans(length, largest)
    assert (spans[0].start, spans[-1].end) == (0, length)
    assert {span.end - span.start for span in spans} <= set(range(1, largest + 1))
    assert len({span.end - span.start for span in spans}) == 1
    assert all(left.start < right.start <= left.end - OVERLAP for left, right in pairwise(spans))


def test_tiles_follow_one_another_row_by_row() -> None:
    tiles = [tile.box for tile in tiles_of((160, 100), largest=120)]
    assert tiles == [(0, 0, 112, 100), (48, 0, 160, 100)]
    tiles = [tile.box for tile in tiles_of((160, 100), largest=96)]
    assert tiles == [(left, upper, left + 96, upper + 82) for upper in (0, 18) for left in (0, 32, 64)]


@pytest.mark.parametrize(("kind", "scale"), [("esrgan", 2), ("esrgan", 4), ("span", 2)])
def test_tiles_join_to_what_the_whole_picture_becomes(
    desk: Desk, tmp_path: Path, kind: str, scale: int
) -> None:
    """To the byte: what decides a pixel lies within the margin of its tile."""
    assert tiny_upscalers.RECEPTIVE_RADIUS[kind] <= MARGIN
    upscaler = upscaler_of(tmp_path, tiny_upscalers.network(kind, scale=scale))
    tiles: list[tuple[int, ...]] = []
    watch(upscaler, tiles.append)
    size = (160 * scale, 100 * scale)
    tiled = desk.enlarge(upscaler, picture(), size)
    assert len(tiles) == 3 * 2
    upscaler.largest_tile = LARGEST_TILE
    whole = desk.enlarge(upscaler, picture(), size)
    assert tiles[-1] == (100, 160)
    assert np.asarray(whole).std() > 1
    assert np.array_equal(np.asarray(tiled), np.asarray(whole))


def test_neighbours_that_differ_fade_into_one_another(desk: Desk, tmp_path: Path) -> None:
    """As those of a model that sees further than the margin do."""
    upscaler = upscaler_of(tmp_path)
    shades = iter([0.0, 1.0])
    upscaler._model._call_fn = lambda _model, pixels: torch.full(
        (1, 3, pixels.shape[2] * 2, pixels.shape[3] * 2), next(shades)
    )
    row = np.asarray(desk.enlarge(upscaler, picture((128, 64)), (256, 128)))[64, :, 0].astype(int)
    steps = np.diff(row)
    assert (row[0], row[-1]) == (0, 255)
    assert steps.min() >= 0
    assert steps.max() <= 10


def test_one_pass_is_brought_to_the_exact_size(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    double = desk.enlarge(upscaler, picture((64, 48)), (128, 96))
    smaller = desk.enlarge(upscaler, picture((64, 48)), (101, 77))
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
    enlarged = desk.enlarge(upscaler, picture((64, 48)), size)
    assert shown == [(48, 64), (96, 128)][:passes]
    by_hand = picture((64, 48))
    for factor in (2, 4)[:passes]:
        by_hand = desk.enlarge(upscaler, by_hand, (64 * factor, 48 * factor))
    expected = by_hand if by_hand.size == size else by_hand.resize(size, Image.Resampling.LANCZOS)
    assert enlarged.tobytes() == expected.tobytes()


def test_a_model_that_restores_goes_first_and_its_result_is_scaled(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path, tiny_upscalers.network(scale=1))
    assert upscaler.scale == 1
    restored = desk.enlarge(upscaler, picture((64, 48)), (64, 48))
    enlarged = desk.enlarge(upscaler, picture((64, 48)), (160, 120))
    assert enlarged.tobytes() == restored.resize((160, 120), Image.Resampling.LANCZOS).tobytes()


def test_tiles_and_steps_take_turns(demo_model: Path, tmp_path: Path) -> None:
    events: list[str] = []
    pipeline = tiny_models.sd(demo_model)
    pipeline.unet.register_forward_pre_hook(lambda *_: events.append("step"))
    drawing = DenoisingLoop(Components.of(pipeline), Turns(max_bucket=8))
    desk, upscaler = Desk(), upscaler_of(tmp_path)
    watch(upscaler, lambda _shape: events.append("tile"))
    shift = Shift(drawing, desk.enlarging)
    ticket = Ticket(generation_of(steps=4), Inputs(), lambda done, total: None, messenger=Inline())
    with torch.inference_mode():
        drawing.admit(ticket)
        future = desk.order(upscaler, picture(), (320, 200))
        while shift.busy:
            shift.turn()
    assert events == ["step", "tile"] * 4 + ["tile"] * 2
    assert ticket.future.result(0).images
    assert future.result(0).size == (320, 200)


def test_pictures_are_enlarged_in_the_order_of_their_arrival(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    first, second = (desk.order(upscaler, picture((64, 48)), (128, 96)) for _ in range(2))
    desk.turn()
    assert first.done()
    assert not second.done()
    desk.turn()
    assert second.result(0).tobytes() == first.result(0).tobytes()


def test_cancelling_frees_the_device_before_the_next_tile(desk: Desk, tmp_path: Path) -> None:
    upscaler = upscaler_of(tmp_path)
    tiles: list[tuple[int, ...]] = []
    watch(upscaler, tiles.append)
    future = desk.order(upscaler, picture(), (320, 200))
    desk.turn()
    desk.turn()
    assert future.cancel()
    desk.turn()
    assert not desk.enlarging.busy
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
    whole = desk.enlarge(upscaler_of(tmp_path, largest_tile=LARGEST_TILE), picture(), (320, 200))
    upscaler = upscaler_of(tmp_path, largest_tile=LARGEST_TILE)
    shown = fail_above(upscaler, 100)
    futures = [desk.order(upscaler, picture(), (320, 200)) for _ in range(2)]
    while desk.enlarging.busy:
        desk.turn()
    assert [future.result(0).tobytes() for future in futures] == [whole.tobytes()] * 2
    assert shown == [(100, 160)] * 2 + [(82, 96)] * 12


def test_where_not_even_a_small_tile_fits_it_is_said_and_the_next_picture_is_enlarged(
    desk: Desk, tmp_path: Path
) -> None:
    upscaler = upscaler_of(tmp_path, largest_tile=LARGEST_TILE)
    fail_above(upscaler, 70)
    too_large = desk.order(upscaler, picture(), (320, 200))
    small = desk.order(upscaler, picture((64, 48)), (128, 96))
    while desk.enlarging.busy:
        desk.turn()
    with pytest.raises(OutOfMemoryError, match="does not fit the accelerator's memory"):
        too_large.result(0)
    assert small.result(0).size == (128, 96)


def test_numbers_that_are_none_are_no_picture(desk: Desk, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    with torch.no_grad():
        next(net.parameters()).fill_(float("nan"))
    with pytest.raises(InvalidOutputError, match="another upscaler may help"):
        desk.enlarge(upscaler_of(tmp_path, net), picture((64, 48)), (128, 96))


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
    upscaler.settle(torch.device(device))
    assert moves == [(torch.device(device), expected)]


def test_every_kind_of_file_gives_the_same_upscaler(desk: Desk, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    pictures = set()
    for ending in ("safetensors", "pth"):
        file = tiny_upscalers.save(tmp_path, net, ending=ending)
        upscaler = read_upscaler(file, pointer=POINTER)
        pictures.add(desk.enlarge(upscaler, picture((64, 48)), (128, 96)).tobytes())
    old = tmp_path / "old.pth"
    torch.save({"params_ema": net.state_dict()}, old, _use_new_zipfile_serialization=False)
    upscaler = read_upscaler(AdapterFile("old", old, version="1"), pointer=POINTER)
    pictures.add(desk.enlarge(upscaler, picture((64, 48)), (128, 96)).tobytes())
    assert len(pictures) == 1


class Exploit:
    """Makes a directory when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def truncated(directory: Path, ending: str) -> AdapterFile:
    file = tiny_upscalers.save(directory, tiny_upscalers.network(), ending=ending)
    data = file.path.read_bytes()
    file.path.write_bytes(data[: len(data) // 2])
    return file


def malicious(directory: Path, *, zipped: bool) -> AdapterFile:
    path = directory / "malicious.pth"
    weights = {**tiny_upscalers.network().state_dict(), "more": Exploit(directory / "executed")}
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    return AdapterFile("malicious", path, version="1")


def holding(directory: Path, weights: Any) -> AdapterFile:
    path = directory / "other.pth"
    torch.save(weights, path)
    return AdapterFile("other", path, version="1")


def nonsense(directory: Path) -> AdapterFile:
    path = directory / "nonsense.pth"
    path.write_bytes(b"7z\xbc\xaf\x27\x1c nonsense")
    return AdapterFile("nonsense", path, version="1")


def ill_fitting(directory: Path) -> AdapterFile:
    weights = tiny_upscalers.network().state_dict()
    key = next(name for name in weights if name.startswith("model.1"))
    return holding(directory, weights | {key: torch.zeros(3)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: truncated(path, "safetensors"), "is damaged"),
        (lambda path: truncated(path, "pth"), "is damaged"),
        (lambda path: malicious(path, zipped=True), "holds code"),
        (lambda path: malicious(path, zipped=False), "holds code"),
        (nonsense, "neither a .safetensors nor a .pth"),
        (ill_fitting, "do not fit together"),
        (lambda path: holding(path, [1, 2]), "is damaged"),
        (lambda path: holding(path, {"weight": torch.zeros(3)}), "no architecture that is known"),
        (lambda path: tiny_upscalers.save(path, tiny_upscalers.network(channels=1)), "RGB pictures"),
    ],
    ids=[
        "truncated safetensors", "truncated pth", "malicious", "malicious, old format", "nonsense",
        "ill-fitting", "no weights", "unknown", "grey",
    ],
)  # fmt: skip
def test_a_file_that_is_no_upscaler_is_refused_in_words_and_the_next_one_is_read(
    engine: DeviceThread, tmp_path: Path, make: Callable[[Path], AdapterFile], words: str
) -> None:
    file = make(tmp_path)
    with pytest.raises(ProblemError, match=words) as refused:
        engine.upscaler(file, pointer=POINTER)
    assert refused.value.code is ErrorCode.ADAPTER_UNUSABLE
    assert [error.pointer for error in refused.value.errors] == [POINTER]
    assert repr(file.name) in refused.value.detail
    assert not (tmp_path / "executed").exists()
    enlarge = engine.upscaler(
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), "good"), pointer=POINTER
    )
    assert enlarge(picture((64, 48)), (128, 96)).result(20).size == (128, 96)


def test_a_model_made_for_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = upscaler_of(tmp_path)._model
    model._purpose = "FaceSR"
    monkeypatch.setattr(load_spandrel().ModelLoader, "load_from_state_dict", lambda *_: model)
    with pytest.raises(ProblemError, match="made for super-resolution"):
        read_upscaler(AdapterFile("tiny", tmp_path / "tiny.safetensors", version="1"), pointer=POINTER)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[AdapterFile]:
    reads: list[AdapterFile] = []

    def read(file: AdapterFile, *, pointer: str) -> Upscaler:
        reads.append(file)
        return reading.read_upscaler(file, pointer=pointer)

    monkeypatch.setattr(upscalers, "read_upscaler", read)
    return reads


def test_those_used_last_are_kept_within_their_bytes(tmp_path: Path, reads: list[AdapterFile]) -> None:
    one, two, three = (
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), name) for name in ("one", "two", "three")
    )
    weights = read_upscaler(one, pointer=POINTER).size_in_bytes
    assert weights == pytest.approx(one.path.stat().st_size, rel=0.02)
    kept = Upscalers(max_bytes=2 * weights)
    for file in (one, two, one, three, one, two):
        kept.read(file, pointer=POINTER)
    assert reads == [one, two, three, two]
    tight = Upscalers(max_bytes=1)
    assert tight.read(one, pointer=POINTER) is tight.read(one, pointer=POINTER)


def test_a_file_of_another_version_is_another_upscaler(tmp_path: Path, reads: list[AdapterFile]) -> None:
    file, kept = tiny_upscalers.save(tmp_path, tiny_upscalers.network()), Upscalers()
    changed = AdapterFile(file.name, file.path, version="2")
    assert kept.read(file, pointer=POINTER) is not kept.read(changed, pointer=POINTER)
    assert reads == [file, changed]


def test_closing_finishes_the_pictures_that_were_taken(tmp_path: Path) -> None:
    engine = DeviceThread(Idle(), Enlarging(CPU))
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    begun, gate = threading.Event(), threading.Event()

    def wait(_shape: tuple[int, ...]) -> None:
        begun.set()
        assert gate.wait(20)

    watch(engine._enlarging.upscalers.read(file, pointer=POINTER), wait)
    enlarge = engine.upscaler(file, pointer=POINTER)
    futures = [enlarge(picture((64, 48)), (128, 96)) for _ in range(2)]
    assert begun.wait(20)
    gate.set()
    engine.close()
    assert [future.result(0).size for future in futures] == [(128, 96)] * 2
    with pytest.raises(ProblemError, match="takes no more"):
        enlarge(picture(), (320, 200))


def test_what_goes_wrong_with_one_picture_is_its_own_affair(engine: DeviceThread, tmp_path: Path) -> None:
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    enlarge = engine.upscaler(file, pointer=POINTER)
    grey = enlarge(Image.new("L", (64, 48)), (128, 96))
    good = enlarge(picture((64, 48)), (128, 96))
    assert isinstance(grey.exception(20), RuntimeError)
    assert good.result(20).size == (128, 96)
