"""The selection of kernels by their times, with a fake of the device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.diffusion.modules.kernel_selection import Kernels, KernelSelector, fastest_convolutions
from tests.inference import tiny_models
from tests.inference.conftest import Log


class FakeTiming:
    """A device on which each kind of kernels takes a time of its own.

    Attributes:
        attention: the preferred kernels.
        seconds_of: by attention kernels or memory format; absent: 1.
        fails: attention kernels that do not exist.
        rows: of the batches that were timed.
    """

    def __init__(self, unet: Any, **seconds_of: float) -> None:
        self._unet = unet
        self.attention = "default"
        self.seconds_of = seconds_of
        self.fails: set[str] = set()
        self.rows: list[int] = []
        unet.register_forward_pre_hook(self._record_rows, with_kwargs=True)

    def _record_rows(self, _unet: Any, _arguments: Any, options: Any) -> None:
        self.rows.append(len(options["sample"]))

    def seconds(self, call: Callable[[], object]) -> float:
        if self.attention in self.fails:
            raise RuntimeError("no kernel for this GPU")
        call()
        return self.seconds_of.get(self.attention, 1.0) * self.seconds_of.get(format_of(self._unet), 1.0)

    @contextmanager
    def prefer_attention(self, name: str) -> Iterator[None]:
        before, self.attention = self.attention, name
        yield
        self.attention = before


def format_of(unet: Any) -> str:
    weight = unet.conv_in.weight
    return "channels_last" if weight.is_contiguous(memory_format=torch.channels_last) else "contiguous"


@pytest.fixture
def unet(demo_model: Path) -> Any:
    return tiny_models.sd(demo_model).unet.to(memory_format=torch.channels_last)


def select(timing: FakeTiming, unet: Any, **options: Any) -> Kernels:
    selector = KernelSelector(timing, **options)
    selector.select(unet, width=8, height=16, max_batch_size=2)
    return selector.apply(unet)


@pytest.mark.parametrize(
    ("seconds", "selected"),
    [
        ({}, Kernels()),
        ({"cudnn": 0.8, "flash": 0.9}, Kernels("cudnn")),
        ({"flash": 0.96}, Kernels()),
        ({"contiguous": 0.9}, Kernels(memory_format="contiguous")),
        ({"contiguous": 0.9, "efficient": 0.5}, Kernels("efficient", "contiguous")),
        ({"contiguous": 1.1}, Kernels()),
    ],
    ids=["equal", "fastest attention", "little faster", "fastest format", "both", "slower"],
)
def test_kernels_that_are_clearly_faster_than_the_default_are_applied(
    unet: Any, seconds: dict[str, float], selected: Kernels
) -> None:
    timing = FakeTiming(unet, **seconds)
    assert select(timing, unet) == selected
    assert (timing.attention, format_of(unet)) == (selected.attention, selected.memory_format)


def test_the_selection_and_the_times_are_logged(unet: Any, log: Log) -> None:
    select(FakeTiming(unet, cudnn=0.5), unet)
    (line,) = [line for line in log.lines if line["message"].startswith("kernels of the UNet")]
    assert line["milliseconds"] == {
        "channels_last": 1000.0,
        "contiguous": 1000.0,
        "default": 1000.0,
        "flash": 1000.0,
        "cudnn": 500.0,
        "efficient": 1000.0,
    }


def test_kernels_that_cannot_be_used_are_left_out(unet: Any) -> None:
    timing = FakeTiming(unet, cudnn=0.5, flash=0.8)
    timing.fails = {"cudnn"}
    assert select(timing, unet) == Kernels("flash")


def test_nothing_is_timed_after_the_limit(unet: Any) -> None:
    timing = FakeTiming(unet, cudnn=0.5, contiguous=0.5)
    assert select(timing, unet, limit_s=0) == Kernels()
    assert (timing.attention, format_of(unet)) == ("default", "channels_last")


def test_the_batch_is_the_largest_that_fits_in_memory(unet: Any) -> None:
    timing = FakeTiming(unet)

    def fail_above_two(_unet: Any, _arguments: Any, options: Any) -> None:
        if len(options["sample"]) > 2:
            raise torch.OutOfMemoryError

    unet.register_forward_pre_hook(fail_above_two, with_kwargs=True)
    select(timing, unet)
    assert timing.rows[:2] == [4, 2]
    assert set(timing.rows[1:]) == {2}


@pytest.mark.parametrize("error", [torch.OutOfMemoryError(), ValueError("added_cond_kwargs")])
def test_a_unet_that_cannot_be_run_keeps_the_default(unet: Any, log: Log, error: Exception) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    timing = FakeTiming(unet, cudnn=0.5)
    unet.register_forward_pre_hook(fail)
    assert select(timing, unet) == Kernels()
    assert "kernels could not be selected" in log.text


def test_later_models_get_the_same_kernels_without_being_timed(unet: Any, demo_model: Path) -> None:
    selector = KernelSelector(FakeTiming(unet, contiguous=0.5, cudnn=0.5))
    selector.select(unet, width=8, height=8, max_batch_size=1)
    later = tiny_models.sdxl(demo_model).unet.to(memory_format=torch.channels_last)
    forwards: list[Any] = []
    later.register_forward_pre_hook(lambda *arguments: forwards.append(arguments))
    selector.select(later, width=8, height=8, max_batch_size=1)
    assert selector.apply(later) == Kernels("cudnn", "contiguous")
    assert format_of(later) == "contiguous"
    assert not forwards


def test_without_a_selection_the_default_is_applied(unet: Any) -> None:
    timing = FakeTiming(unet, contiguous=0.5, cudnn=0.5)
    assert KernelSelector(timing).apply(unet) == Kernels()
    assert (timing.attention, format_of(unet)) == ("default", "channels_last")


def test_an_sdxl_unet_can_be_timed(demo_model: Path) -> None:
    unet = tiny_models.sdxl(demo_model).unet
    assert select(FakeTiming(unet, flash=0.5), unet).attention == "flash"


def test_convolutions_are_timed_only_within_the_context() -> None:
    before = torch.backends.cudnn.benchmark
    with fastest_convolutions():
        assert torch.backends.cudnn.benchmark
    assert torch.backends.cudnn.benchmark == before
