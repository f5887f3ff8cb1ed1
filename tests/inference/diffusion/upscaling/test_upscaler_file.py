"""Upscaler files: reading, rejection of damaged and unsafe files, and the cache."""

import os
import subprocess
import sys
from collections.abc import Callable
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
from inference.engine.interface import AdapterFile
from tests.conftest import ROOT
from tests.inference import tiny_upscalers
from tests.inference.diffusion.upscaling.upscaling_harness import (
    POINTER,
    UpscalingHarness,
    create_upscaler,
    noise_image,
)
from tests.waiting import LIMIT_S

pytestmark = pytest.mark.usefixtures("engine_thread_count")


def test_spandrel_is_imported_without_torchvision_and_the_stand_ins_are_removed() -> None:
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


def test_every_file_format_gives_the_same_upscaler(harness: UpscalingHarness, tmp_path: Path) -> None:
    net = tiny_upscalers.network()
    images = set()
    for suffix in ("safetensors", "pth", "pt"):
        file = tiny_upscalers.save(tmp_path, net, suffix=suffix)
        upscaler = read_upscaler(file, pointer=POINTER)
        images.add(harness.upscale(upscaler, noise_image((64, 48)), (128, 96)).tobytes())
    legacy = tmp_path / "legacy.pth"
    torch.save({"params_ema": net.state_dict()}, legacy, _use_new_zipfile_serialization=False)
    upscaler = read_upscaler(AdapterFile("legacy", legacy, version="1"), pointer=POINTER)
    images.add(harness.upscale(upscaler, noise_image((64, 48)), (128, 96)).tobytes())
    assert len(images) == 1


class Exploit:
    """Creates a directory when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


def truncated(directory: Path, suffix: str) -> AdapterFile:
    file = tiny_upscalers.save(directory, tiny_upscalers.network(), suffix=suffix)
    data = file.path.read_bytes()
    file.path.write_bytes(data[: len(data) // 2])
    return file


def malicious(directory: Path, *, zipped: bool) -> AdapterFile:
    path = directory / "malicious.pth"
    weights = {**tiny_upscalers.network().state_dict(), "more": Exploit(directory / "executed")}
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    return AdapterFile("malicious", path, version="1")


def save_pickle(directory: Path, weights: Any) -> AdapterFile:
    path = directory / "other.pth"
    torch.save(weights, path)
    return AdapterFile("other", path, version="1")


def not_a_pickle(directory: Path) -> AdapterFile:
    path = directory / "text.pth"
    path.write_bytes(b"7z\xbc\xaf\x27\x1c text")
    return AdapterFile("text", path, version="1")


def mismatched(directory: Path) -> AdapterFile:
    weights = tiny_upscalers.network().state_dict()
    key = next(name for name in weights if name.startswith("model.1"))
    return save_pickle(directory, weights | {key: torch.zeros(3)})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: truncated(path, "safetensors"), "is not a complete safetensors file"),
        (lambda path: truncated(path, "pth"), "is damaged"),
        (lambda path: malicious(path, zipped=True), "use a .safetensors file"),
        (lambda path: malicious(path, zipped=False), "use a .safetensors file"),
        (not_a_pickle, "neither a .safetensors file nor a PyTorch pickle"),
        (mismatched, "do not match their architecture"),
        (lambda path: save_pickle(path, [1, 2]), "has no weights by name"),
        (lambda path: save_pickle(path, {"weight": torch.zeros(3)}), "has an unsupported architecture"),
        (lambda path: tiny_upscalers.save(path, tiny_upscalers.network(channels=1)), "not made for RGB"),
        (lambda path: tiny_upscalers.save(path, tiny_upscalers.network(scale=16)), "unsupported scale 16"),
    ],
    ids=[
        "truncated safetensors", "truncated pth", "malicious", "malicious, legacy format", "not a pickle",
        "mismatched", "no weights", "unknown architecture", "greyscale", "scale 16",
    ],
)  # fmt: skip
def test_an_unusable_file_is_refused_with_the_reason_and_the_next_one_is_read(
    engine: EngineThread, tmp_path: Path, make: Callable[[Path], AdapterFile], reason: str
) -> None:
    file = make(tmp_path)
    with pytest.raises(ProblemError, match=reason) as refused:
        engine.upscaler(file, pointer=POINTER)
    assert refused.value.code is ErrorCode.ADAPTER_UNUSABLE
    assert [error.pointer for error in refused.value.errors] == [POINTER]
    assert repr(file.name) in refused.value.detail
    assert not (tmp_path / "executed").exists()
    upscale = engine.upscaler(
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), "good"), pointer=POINTER
    )
    assert upscale(noise_image((64, 48)), (128, 96)).result(LIMIT_S).size == (128, 96)


def test_a_model_for_another_purpose_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = create_upscaler(tmp_path)._model
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


def test_the_least_recently_used_upscaler_is_evicted(tmp_path: Path, reads: list[AdapterFile]) -> None:
    one, two, three = (
        tiny_upscalers.save(tmp_path, tiny_upscalers.network(), name) for name in ("one", "two", "three")
    )
    weights = read_upscaler(one, pointer=POINTER).size_bytes
    assert weights == pytest.approx(one.path.stat().st_size, rel=0.02)
    cache = UpscalerCache(max_bytes=2 * weights)
    for file in (one, two, one, three, one, two):
        cache.load(file, pointer=POINTER)
    assert reads == [one, two, three, two]
    small = UpscalerCache(max_bytes=1)
    assert small.load(one, pointer=POINTER) is small.load(one, pointer=POINTER)


def test_another_version_of_a_file_is_another_upscaler(tmp_path: Path, reads: list[AdapterFile]) -> None:
    file, cache = tiny_upscalers.save(tmp_path, tiny_upscalers.network()), UpscalerCache()
    changed = AdapterFile(file.name, file.path, version="2")
    assert cache.load(file, pointer=POINTER) is not cache.load(changed, pointer=POINTER)
    assert reads == [file, changed]
