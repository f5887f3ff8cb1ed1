"""The upscaling worker of the engine thread."""

import logging

import torch

from inference.diffusion.tasks.failures import failing
from inference.diffusion.upscaling.upscale_task import UpscaleTask
from inference.diffusion.upscaling.upscaler_cache import UpscalerCache

_LOGGER = logging.getLogger(__name__)


class UpscalingLoop:
    """Upscales images in the order of their arrival, one tile in each step.

    Attributes:
        upscalers: the cache of models.
    """

    def __init__(self, device: torch.device) -> None:
        self.upscalers = UpscalerCache()
        self._device = device
        self._waiting: list[UpscaleTask] = []

    @property
    def has_unfinished_requests(self) -> bool:
        """See `inference.diffusion.engine_thread.Worker.has_unfinished_requests`."""
        return bool(self._waiting)

    def add_request(self, task: UpscaleTask) -> None:
        """See `inference.diffusion.engine_thread.Worker.add_request`."""
        with failing(task):
            task.start()
            self._waiting.append(task)

    def step(self) -> None:
        """Upscales the next tile of the oldest task that is not done."""
        self._waiting = [each for each in self._waiting if not each.done]
        if not self._waiting:
            return
        oldest = self._waiting[0]
        if not oldest.wait_for_pixels():
            return
        with failing(oldest):
            oldest.upscaler.move_to_device(self._device)
            self._upscale_tile(oldest)
        if oldest.finished:
            self._waiting.remove(oldest)

    def _upscale_tile(self, task: UpscaleTask) -> None:
        try:
            task.upscale_tile()
        except torch.OutOfMemoryError:
            if not task.upscaler.shrink_tiles():
                raise
        else:
            return
        torch.cuda.empty_cache()  # not in the except block, where the error still references the tensors
        task.restart_pass()
        _LOGGER.warning(
            "an upscaler's tile did not fit in GPU memory; its tiles are now at most %d pixels a side",
            task.upscaler.max_tile_size,
        )
