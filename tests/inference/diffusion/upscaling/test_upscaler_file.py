"""UpscalerCache from their files: those of any maker are read, and none is trusted."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from contract.problem import ErrorCode, ProblemError
from inference.diffusion.engine_thread import EngineThread
from inference.diffusion.upscaling import upscaler_cache, upscaler_file
from inference.diffusion.upscaling.spandrel import load_spandrel
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_cache import UpscalerCache
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from inference.engine.interface import AdapterFile
from tests.conftest import ROOT
from tests.inference import tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import (
    CPU,
    POINTER,
    Desk,
    Idle,
    picture,
    upscaler_of,
)

pytestmark = pytest.mark.usefixtures("engine_thread_count")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def engine() -> Iterator[EngineThread]:
    engine = EngineThread(Idle(), UpscalingLoop(CPU))
    yield engine
    engine.close()


def test_the_library_is_imported_without_torchvision_and_leaves_no_trace_of_having_missed_it() -> None:
    code = """
import sys
from inference.diffusion.upscaling.spandrel import load_spandrel
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


def test_every_kind_of_file_gives_the_same_upscaler(desk: Desk, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    pictures = set()
    for ending in ("safetensors", "pth"):
        file = tiny_upscalers.save(tmp_path, net, ending=ending)
        upscaler = read_upscaler(file, pointer=POINTER)
        pictures.add(desk.upscale(upscaler, picture((64, 48)), (128, 96)).tobytes())
    old = tmp_path / "old.pth"
    torch.save({"params_ema": net.state_dict()}, old, _use_new_zipfile_serialization=False)
    upscaler = read_upscaler(AdapterFile("old", old, version="1"), pointer=POINTER)
    pictures.add(desk.upscale(upscaler, picture((64, 48)), (128, 96)).tobytes())
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
        (lambda path: truncated(path, "safetensors"), "no whole safetensors"),
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
    engine: EngineThread, tmp_path: Path, make: Callable[[Path], AdapterFile], words: str
) -> None:
    file = make(tmp_path)
    with pytest.raises(ProblemError, match=words) as refused:
        engine.upscaler(file, pointer=POINTER)
    assert refused.value.code is ErrorCode.ADAPTER_UNUSABLE
    assert [error.pointer for error in refused.value.errors] == [POINTER]
    assert repr(file.name) in refused.value.detail
    assert not (tmp_path / "executed").exists()
    upscale = engine.upscaler(
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), "good"), pointer=POINTER
    )
    assert upscale(picture((64, 48)), (128, 96)).result(20).size == (128, 96)


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
        return upscaler_file.read_upscaler(file, pointer=pointer)

    monkeypatch.setattr(upscaler_cache, "read_upscaler", read)
    return reads


def test_those_used_last_are_kept_within_their_bytes(tmp_path: Path, reads: list[AdapterFile]) -> None:
    one, two, three = (
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), name) for name in ("one", "two", "three")
    )
    weights = read_upscaler(one, pointer=POINTER).size_in_bytes
    assert weights == pytest.approx(one.path.stat().st_size, rel=0.02)
    kept = UpscalerCache(max_bytes=2 * weights)
    for file in (one, two, one, three, one, two):
        kept.load(file, pointer=POINTER)
    assert reads == [one, two, three, two]
    tight = UpscalerCache(max_bytes=1)
    assert tight.load(one, pointer=POINTER) is tight.load(one, pointer=POINTER)


def test_a_file_of_another_version_is_another_upscaler(tmp_path: Path, reads: list[AdapterFile]) -> None:
    file, kept = tiny_upscalers.save(tmp_path, tiny_upscalers.network()), UpscalerCache()
    changed = AdapterFile(file.name, file.path, version="2")
    assert kept.load(file, pointer=POINTER) is not kept.load(changed, pointer=POINTER)
    assert reads == [file, changed]
