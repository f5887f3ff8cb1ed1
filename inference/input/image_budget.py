"""A budget for the memory of the input images that wait for the engine."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contract.generation import Generation
from contract.model import ModelDeclaration

_IMAGE_BYTES = 3
_MASK_BYTES = 1 + 4
"""For each pixel: the engine's mask, and the compositor's weight."""


def image_bytes(generation: Generation, model: ModelDeclaration) -> int:
    """The most bytes that the preprocessed input images of a generation take.

    The images have the generation's size; where that follows from the input image, it is at most the model's
    largest one. The hires pass adds a second, larger set of control images, and `mask_padding` the whole
    input image.
    """
    largest = model.limits.max_size
    pixels = (generation.width or largest) * (generation.height or largest)
    if generation.outpaint is not None:
        pixels = largest * largest
    controls = _IMAGE_BYTES * len(generation.controlnets)
    of_a_pixel = controls + (0 if generation.input_image is None else _IMAGE_BYTES)
    if generation.mask_image is not None or generation.outpaint is not None:
        of_a_pixel += _MASK_BYTES
    of_original = 0
    if generation.mask_padding is not None:
        of_original = (_IMAGE_BYTES + _MASK_BYTES) * model.limits.max_output_size**2
    of_hires = 0.0 if generation.hires is None else controls * pixels * generation.hires.scale**2
    return of_a_pixel * pixels + of_original + round(of_hires)


class ImageBudget:
    """Admits jobs in the order of their arrival, as long as their images fit in memory together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._free = max_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, size_bytes: int) -> AsyncIterator[None]:
        """Waits for this much of the budget, or all of it if it is less, and holds it during the block.

        A job without images does not wait.
        """
        if not size_bytes:
            yield
            return
        size = min(size_bytes, self._max_bytes)
        admitted = asyncio.get_running_loop().create_future()
        self._waiting.append((size, admitted))
        self._admit()
        try:
            await admitted
        except asyncio.CancelledError:
            self._abandon(size, admitted)
            raise
        try:
            yield
        finally:
            self._release(size)

    def _abandon(self, size: int, admitted: asyncio.Future[None]) -> None:
        if not admitted.cancelled():
            self._release(size)
        elif (size, admitted) in self._waiting:
            self._waiting.remove((size, admitted))
            self._admit()

    def _release(self, size: int) -> None:
        self._free += size
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (self._waiting[0][0] <= self._free or self._waiting[0][1].cancelled()):
            size, admitted = self._waiting.popleft()
            if not admitted.cancelled():
                self._free -= size
                admitted.set_result(None)
