"""UpscalingLoop as the device does it."""

import logging

import torch

from inference.diffusion.tasks.failures import failing
from inference.diffusion.upscaling.upscale_task import UpscaleTask
from inference.diffusion.upscaling.upscaler_cache import UpscalerCache

_LOGGER = logging.getLogger(__name__)


class UpscalingLoop:
    """Enlarges pictures in the order of their arrival, one tile a turn.

    Attributes:
        upscalers: what it may be asked to upscale with.
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
        self._waiting.append(task)

    def step(self) -> None:
        """Enlarges a tile of the oldest picture that somebody waits for."""
        self._waiting = [each for each in self._waiting if not each.done]
        if not self._waiting:
            return
        oldest = self._waiting[0]
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
        torch.cuda.empty_cache()  # not above, where the error still holds on to the memory
        task.restart_pass()
        _LOGGER.warning("a tile does not fit the accelerator's memory; smaller ones are used from here on")
