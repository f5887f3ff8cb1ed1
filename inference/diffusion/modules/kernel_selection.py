"""Selection of attention kernels and memory format on a GPU, by timing the UNet when a model is loaded."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Protocol

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from inference.diffusion.modules.example_inputs import example_inputs

_LOGGER = logging.getLogger(__name__)

_LIMIT_S = 30
"""Of the timing of all candidates together; those that are left are not considered."""

_GAIN = 1.05
"""A candidate replaces the default only if it is faster by more than this, so that containers with equal GPUs
mostly select the same: other kernels round differently."""

_WARM_UPS = 2
_RUNS = 5

DEFAULT_ATTENTION = "default"
"""PyTorch's own order of attention kernels."""

_ATTENTION = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
}
_OTHER_ATTENTION = (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)
"""For shapes that the selected kernels do not support."""

DEFAULT_FORMAT = "channels_last"
"""That of loaded models on CUDA; see `inference.models.memory_format`."""

_FORMATS = {DEFAULT_FORMAT: torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class Kernels:
    """The selection.

    Attributes:
        attention: a key of _ATTENTION, or DEFAULT_ATTENTION.
        memory_format: of the UNet's weights, a key of _FORMATS.
    """

    attention: str = DEFAULT_ATTENTION
    memory_format: str = DEFAULT_FORMAT

    def describe(self) -> Mapping[str, str]:
        """The selection by kind of kernels."""
        return {"attention": self.attention, "memory_format": self.memory_format}


class Timing(Protocol):
    """The device, as `KernelSelector` uses it."""

    def seconds(self, call: Callable[[], object]) -> float:
        """The time that a call takes on the device, after calls to warm up.

        Raises:
            RuntimeError: of the call.
        """
        ...

    def prefer_attention(self, name: str) -> AbstractContextManager[object]:
        """Attention runs with these kernels, where they support the shapes, in the whole process."""
        ...


class CudaTiming:
    """The current CUDA device."""

    def seconds(self, call: Callable[[], object]) -> float:
        """See `Timing.seconds`; the median of a few calls, with cuDNN's fastest algorithms."""
        with fastest_convolutions():
            for _ in range(_WARM_UPS):
                call()
        return median(_seconds_once(call) for _ in range(_RUNS))

    def prefer_attention(self, name: str) -> AbstractContextManager[object]:
        """See `Timing.prefer_attention`."""
        if name == DEFAULT_ATTENTION:
            return nullcontext()
        return sdpa_kernel([_ATTENTION[name], *_OTHER_ATTENTION], set_priority=True)


def _seconds_once(call: Callable[[], object]) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1000


@contextmanager
def fastest_convolutions() -> Iterator[None]:
    """Lets cuDNN time its algorithms whenever a convolution has a new shape.

    The thread that runs a convolution keeps the algorithm, for that shape, beyond this context.
    """
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


class KernelSelector:
    """Selects kernels with the first model, and applies them to every later one of the process."""

    def __init__(self, timing: Timing, *, limit_s: float = _LIMIT_S) -> None:
        """Selects nothing yet.

        Args:
            timing: the device.
            limit_s: of the timing of all candidates together.
        """
        self._timing = timing
        self._limit_s = limit_s
        self._process = ExitStack()
        self._selected: Kernels | None = None

    def select(self, unet: Any, *, width: int, height: int, max_batch_size: int) -> None:
        """Times a UNet on the largest batch that fits, and selects and logs the fastest kernels.

        Later calls do nothing. The attention kernels apply to the whole process at once. Failures are logged
        only, and select the default.

        Args:
            unet: its memory format changes.
            width: of the latents.
            height: of the latents.
            max_batch_size: in images.
        """
        if self._selected is not None:
            return
        try:
            with torch.inference_mode():
                forward = _largest_forward(unet, rows=2 * max_batch_size, width=width, height=height)
                self._selected = self._fastest(unet, forward)
        except Exception:
            _LOGGER.exception("kernels could not be selected; the default ones are used")
            self._selected = Kernels()
        self._process.enter_context(self._timing.prefer_attention(self._selected.attention))

    def apply(self, unet: Any) -> Kernels:
        """Gives a UNet on the device the selected memory format; the default if nothing has been selected."""
        kernels = self._selected or Kernels()
        unet.to(memory_format=_FORMATS[kernels.memory_format])
        return kernels

    def _fastest(self, unet: Any, forward: Callable[[], object]) -> Kernels:
        deadline = time.monotonic() + self._limit_s
        formats = self._times({name: _in_format(unet, name) for name in _FORMATS}, forward, deadline)
        memory_format = _fastest(formats, DEFAULT_FORMAT)
        unet.to(memory_format=_FORMATS[memory_format])
        names = (DEFAULT_ATTENTION, *_ATTENTION)
        attention = self._times(
            {name: self._timing.prefer_attention(name) for name in names}, forward, deadline
        )
        kernels = Kernels(_fastest(attention, DEFAULT_ATTENTION), memory_format)
        milliseconds = {name: round(1000 * each, 2) for name, each in (formats | attention).items()}
        _LOGGER.info("kernels of the UNet: %s", kernels, extra={"milliseconds": milliseconds})
        return kernels

    def _times(
        self,
        candidates: Mapping[str, AbstractContextManager[object]],
        forward: Callable[[], object],
        deadline: float,
    ) -> dict[str, float]:
        """The seconds of the candidates that work; those after the deadline are left out."""
        seconds: dict[str, float] = {}
        for name, applied in candidates.items():
            if time.monotonic() >= deadline:
                _LOGGER.info("%s has not been timed: %s s are over", name, self._limit_s)
                continue
            try:
                with applied:
                    seconds[name] = self._timing.seconds(forward)
            except RuntimeError as error:  # for example without kernels for this GPU
                _LOGGER.info("%s cannot be used: %s", name, error)
        return seconds


def _fastest(seconds: Mapping[str, float], default: str) -> str:
    best = min(seconds, key=lambda name: seconds[name], default=default)
    return best if default not in seconds or seconds[best] * _GAIN < seconds[default] else default


@contextmanager
def _in_format(unet: Any, name: str) -> Iterator[None]:
    unet.to(memory_format=_FORMATS[name])
    yield


def _largest_forward(unet: Any, *, rows: int, width: int, height: int) -> Callable[[], object]:
    """A forward pass of as many rows as fit in memory.

    Raises:
        torch.OutOfMemoryError: not even one row fits.
    """
    while True:
        forward = partial(unet, **example_inputs(unet, rows=rows, width=width, height=height))
        try:
            forward()
        except torch.OutOfMemoryError:
            if rows == 1:
                raise
            rows //= 2
        else:
            return forward
