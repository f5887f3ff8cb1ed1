"""Enlarging as the device does it."""

import logging

import torch

from inference.diffusion.tasks.failures import answering
from inference.diffusion.upscaling.upscale_task import Enlargement
from inference.diffusion.upscaling.upscaler_cache import Upscalers

_LOGGER = logging.getLogger(__name__)


class Enlarging:
    """Enlarges pictures in the order of their arrival, one tile a turn.

    Attributes:
        upscalers: what it may be asked to enlarge with.
    """

    def __init__(self, device: torch.device) -> None:
        self.upscalers = Upscalers()
        self._device = device
        self._waiting: list[Enlargement] = []

    @property
    def busy(self) -> bool:
        """See `inference.diffusion.engine_thread.Work.busy`."""
        return bool(self._waiting)

    def admit(self, enlargement: Enlargement) -> None:
        """See `inference.diffusion.engine_thread.Work.admit`."""
        self._waiting.append(enlargement)

    def turn(self) -> None:
        """Enlarges a tile of the oldest picture that somebody waits for."""
        self._waiting = [each for each in self._waiting if not each.over]
        if not self._waiting:
            return
        oldest = self._waiting[0]
        with answering(oldest):
            oldest.upscaler.settle(self._device)
            self._enlarge_tile(oldest)
        if oldest.finished:
            self._waiting.remove(oldest)

    def _enlarge_tile(self, enlargement: Enlargement) -> None:
        try:
            enlargement.enlarge_tile()
        except torch.OutOfMemoryError:
            if not enlargement.upscaler.shrink_tiles():
                raise
        else:
            return
        torch.cuda.empty_cache()  # not above, where the error still holds on to the memory
        enlargement.begin_again()
        _LOGGER.warning("a tile does not fit the accelerator's memory; smaller ones are used from here on")
