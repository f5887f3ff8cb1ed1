"""Upscalers whose networks would fill the memory, and the trial that refuses them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from inference.diffusion.adapters.adapter_files import AdapterFileError
from inference.diffusion.upscaling import upscaler_cache, upscaler_file
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_cache import UpscalerCache
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile
from inference.isolation import Limits
from inference.models.parameter_limit import TooManyParametersError
from tests.inference import tiny_upscalers
from tests.inference.diffusion.upscaling.hostile_upscalers import (
    with_a_wide_layer,
    with_many_blocks,
    without_data,
)
from tests.inference.diffusion.upscaling.upscaling_harness import POINTER
from tests.inference.models.hostile_files import limited_memory
from tests.waiting import LIMIT_S


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize("write", [with_a_wide_layer, with_many_blocks])
def test_a_network_that_does_not_fit_in_memory_is_refused(
    tmp_path: Path, write: Callable[[Path], AdapterFile]
) -> None:
    with limited_memory(), pytest.raises(AdapterUnusableError, match="do not match their architecture"):
        read_upscaler(write(tmp_path), pointer=POINTER)


def test_a_network_has_few_more_parameters_than_the_file_has_tensors(tmp_path: Path) -> None:
    with limited_memory(), pytest.raises(AdapterFileError) as caught:
        upscaler_file._build(load_file(with_many_blocks(tmp_path).path))
    assert isinstance(caught.value.__cause__, TooManyParametersError)


@pytest.mark.usefixtures("trial")
def test_a_network_that_takes_too_long_to_build_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscaler_file, "_LIMITS", Limits(seconds=0.001, memory_bytes=64 << 30))
    file = tiny_upscalers.save(tmp_path, tiny_upscalers.network())
    with pytest.raises(AdapterUnusableError, match="do not match their architecture"):
        read_upscaler(file, pointer=POINTER)


@pytest.mark.usefixtures("trial")
def test_the_trial_accepts_usable_files_and_gives_the_reason_for_others(tmp_path: Path) -> None:
    assert read_upscaler(tiny_upscalers.save(tmp_path, tiny_upscalers.network()), pointer=POINTER).scale == 2
    grey = tiny_upscalers.save(tmp_path, tiny_upscalers.network(channels=1), "grey")
    with pytest.raises(AdapterUnusableError, match="not made for RGB") as caught:
        read_upscaler(grey, pointer=POINTER)
    assert caught.value.errors[0].pointer == POINTER


def test_tensors_without_data_are_refused(tmp_path: Path) -> None:
    file = without_data(tmp_path)
    assert file.path.stat().st_size < 20_000
    with limited_memory(), pytest.raises(AdapterUnusableError, match="larger than their data in the file"):
        read_upscaler(file, pointer=POINTER)


@pytest.mark.parametrize("key", [1, b"a", (1, 2)])
def test_keys_that_are_not_text_are_refused(tmp_path: Path, key: Any) -> None:
    path = tmp_path / "a.pth"
    torch.save({key: torch.zeros(2)}, path)
    with pytest.raises(AdapterUnusableError, match=r"has no weights by name|with keys that are neither"):
        read_upscaler(AdapterFile("a", path, version="1"), pointer=POINTER)


def test_an_unusable_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[AdapterFile] = []

    def read(file: AdapterFile, *, pointer: str) -> Upscaler:
        reads.append(file)
        return upscaler_file.read_upscaler(file, pointer=pointer)

    monkeypatch.setattr(upscaler_cache, "read_upscaler", read)
    cache, file = UpscalerCache(), without_data(tmp_path)
    for pointer in (POINTER, POINTER, "#/hires/upscaler"):
        with pytest.raises(AdapterUnusableError, match="larger than their data") as caught:
            cache.load(file, pointer=pointer)
        assert [error.pointer for error in caught.value.errors] == [pointer]
    assert reads == [file, file]
    with pytest.raises(AdapterUnusableError):
        cache.load(AdapterFile(file.name, file.path, version="2"), pointer=POINTER)
    assert len(reads) == 3


def test_a_cached_upscaler_is_available_while_another_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = UpscalerCache()
    cached = tiny_upscalers.save(tmp_path, tiny_upscalers.network(), "cached")
    other = tiny_upscalers.save(tmp_path, tiny_upscalers.network(), "other")
    upscaler = cache.load(cached, pointer=POINTER)
    is_reading, may_return = threading.Event(), threading.Event()

    def read(*_: Any, **__: Any) -> Upscaler:
        is_reading.set()
        assert may_return.wait(LIMIT_S)
        return upscaler

    monkeypatch.setattr(upscaler_cache, "read_upscaler", read)
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(cache.load, other, pointer=POINTER)
        assert is_reading.wait(LIMIT_S)
        assert cache.load(cached, pointer=POINTER) is upscaler
        may_return.set()
        assert reading.result(LIMIT_S) is upscaler
