"""Pictures and upscalers for tests, and the device's works without its thread."""

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
    """The device's works in the test's own thread, which takes the batcher."""

    def __init__(self) -> None:
        self.upscaling = UpscalingLoop(CPU)

    def order(self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]) -> Future[Image.Image]:
        task = UpscaleTask(upscaler, image, size, callback_executor=InlineExecutor())
        self.upscaling.add_request(task)
        return task.future

    @torch.inference_mode()
    def step(self) -> None:
        self.upscaling.step()

    def upscale(self, upscaler: Upscaler, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        future = self.order(upscaler, image, size)
        while self.upscaling.has_unfinished_requests:
            self.step()
        return future.result(0)


class Idle:
    """Draws nothing."""

    has_unfinished_requests = False

    def add_request(self, task: GenerationTask) -> None:
        raise AssertionError

    def step(self) -> None:
        raise AssertionError
