"""Images and upscalers for tests, and a harness that steps the upscaling loop in the test's own thread."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from inference.diffusion.tasks.generation_task import GenerationTask
from inference.diffusion.upscaling.upscale_task import UpscaleTask
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.diffusion.upscaling.upscaling_loop import UpscalingLoop
from tests.inference import tiny_upscalers
from tests.inference.generations import InlineExecutor

CPU = torch.device("cpu")
POINTER = "#/upscale/upscaler"


def noise_image(size: tuple[int, int] = (160, 100)) -> Image.Image:
    """An image of random pixels, in which every seam would show."""
    noise = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise)


def create_upscaler(
    directory: Path, net: torch.nn.Module | None = None, *, max_tile_size: int = 96
) -> Upscaler:
    """An upscaler of this network, read from a file."""
    file = tiny_upscalers.save(directory, net or tiny_upscalers.network())
    upscaler = read_upscaler(file, pointer=POINTER)
    upscaler.max_tile_size = max_tile_size
    return upscaler


def call_before_forward(upscaler: Upscaler, callback: Callable[[tuple[int, ...]], None]) -> None:
    """Calls back with the size of each tile, (height, width), before the forward pass."""
    upscaler._model.model.register_forward_pre_hook(
        lambda _model, inputs: callback(tuple(inputs[0].shape[2:]))
    )


class UpscalingHarness:
    """An upscaling loop that is stepped in the test's own thread."""

    def __init__(self) -> None:
        self.loop = UpscalingLoop(CPU)

    def add_request(
        self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]
    ) -> Future[Image.Image]:
        task = UpscaleTask(upscaler, image, size, callback_executor=InlineExecutor())
        self.loop.add_request(task)
        return task.future

    @torch.inference_mode()
    def step(self) -> None:
        self.loop.step()

    def upscale(self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        future = self.add_request(upscaler, image, size)
        while self.loop.has_unfinished_requests:
            self.step()
        return future.result(0)


class UnusedWorker:
    """A generation worker that must not receive any request."""

    has_unfinished_requests = False
    has_room = True

    def add_request(self, task: GenerationTask) -> None:
        raise AssertionError

    def step(self) -> None:
        raise AssertionError
