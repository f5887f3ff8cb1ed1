"""Forward passes of a UNet: eager and as CUDA graphs, with other attention kernels, and beside a decoder."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from inference.diffusion.modules.cuda_graphs import CudaGraphs
from inference.diffusion.modules.example_inputs import example_inputs
from inference.diffusion.modules.kernel_selection import CudaTiming
from inference.diffusion.modules.side_stream import SideStream

GRAPH_COLUMNS = (
    "images",
    "eager, ms",
    "launched in, ms",
    "graph, ms",
    "launched in, ms",
    "TFLOP/s",
    "equal bits",
    "recorded in, s",
)
KERNEL_COLUMNS = ("attention", "channels_last, ms", "contiguous, ms")
DECODE_COLUMNS = ("forward pass of 8 images and decoding of 1", "ms")

_ATTENTION = ("default", "flash", "cudnn", "efficient")
_ROWS_PER_IMAGE = 2
_WARM_UPS = 3
_CALLS = 10


@dataclass(frozen=True)
class Time:
    """Milliseconds of a call.

    Attributes:
        gpu: that the GPU takes, with the gaps in which it waits for the CPU.
        cpu: until the call returns; the GPU may still be working.
    """

    gpu: float
    cpu: float


def measure(call: Callable[[], object]) -> Time:
    """The mean of several calls."""
    for _ in range(_WARM_UPS):
        call()
    torch.cuda.synchronize()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    started_at = time.perf_counter()
    start.record()
    for _ in range(_CALLS):
        call()
    cpu = time.perf_counter() - started_at
    end.record()
    end.synchronize()
    return Time(start.elapsed_time(end) / _CALLS, cpu / _CALLS * 1000)


@torch.inference_mode()
def graphs(unet: Any, *, side: int, batches: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Iterator[tuple[str, ...]]:
    """Eager forward passes, and the same as CUDA graphs.

    Args:
        unet: on the GPU.
        side: width and height of the latents.
        batches: numbers of images, with classifier-free guidance.
    """
    recorder = CudaGraphs(unet.device)
    for images in batches:
        call = _forward(unet, images, side)
        with FlopCounterMode(display=False) as counter:
            expected = call().clone()
        eager = measure(call)
        started_at = time.perf_counter()
        recording = recorder.record(call)
        torch.cuda.synchronize()
        recorded_s = time.perf_counter() - started_at
        equal = torch.equal(recording.replay(), expected)
        graph = measure(recording.replay)
        recording.release()
        yield (
            str(images),
            f"{eager.gpu:.2f}",
            f"{eager.cpu:.2f}",
            f"{graph.gpu:.2f}",
            f"{graph.cpu:.3f}",
            f"{counter.get_total_flops() / graph.gpu / 1e9:.0f}",
            "yes" if equal else "no",
            f"{recorded_s:.1f}",
        )


@torch.inference_mode()
def attention_and_formats(unet: Any, *, side: int, images: int = 8) -> Iterator[tuple[str, ...]]:
    """Forward passes with each kind of attention and memory format, as they are timed at loading."""
    timing, times = CudaTiming(), dict[tuple[str, str], str]()
    formats = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
    call = _forward(unet, images, side)
    for name, memory_format in formats.items():
        unet.to(memory_format=memory_format)
        for attention in _ATTENTION:
            try:
                with ExitStack() as stack:
                    stack.enter_context(timing.prefer_attention(attention))
                    times[attention, name] = f"{timing.seconds(call) * 1000:.2f}"
            except RuntimeError:  # for example without kernels for this GPU
                times[attention, name] = "not supported"
    unet.to(memory_format=torch.channels_last)
    for attention in _ATTENTION:
        yield (attention, *(times[attention, name] for name in formats))


@torch.inference_mode()
def decoding_beside(unet: Any, vae: Any, *, side: int, images: int = 8) -> Iterator[tuple[str, ...]]:
    """A forward pass and the decoding of one image: in turn, and on two streams."""
    forward = _forward(unet, images, side)
    latents = torch.randn(1, 4, side, side, device=unet.device, dtype=vae.dtype)
    decode = partial(vae.decode, latents, return_dict=False)
    side_stream = SideStream(unet.device)

    def in_turn() -> None:
        decode()
        forward()

    def beside() -> None:
        with side_stream.running():
            decode()
        forward()
        side_stream.join()

    yield "forward pass alone", f"{measure(forward).gpu:.2f}"
    yield "one after the other", f"{measure(in_turn).gpu:.2f}"
    yield "beside each other", f"{measure(beside).gpu:.2f}"


def _forward(unet: Any, images: int, side: int) -> Callable[[], torch.Tensor]:
    inputs = example_inputs(unet, rows=_ROWS_PER_IMAGE * images, width=side, height=side)

    def forward() -> torch.Tensor:
        output: torch.Tensor = unet(**inputs)[0]
        return output

    return forward
