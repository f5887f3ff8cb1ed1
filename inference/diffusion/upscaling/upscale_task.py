"""An upscaling task on the engine thread: the image, and the tiles that remain."""

from collections import deque
from concurrent.futures import Executor, Future, wait

import numpy as np
from PIL import Image

from contract.size import Size
from inference.diffusion.tasks.task import EngineTask
from inference.diffusion.upscaling.tiles import Tile, TileBlender, split_into_tiles
from inference.diffusion.upscaling.upscaler import Upscaler

_MAX_PASSES = 2
_WAIT_S = 0.001


class UpscaleTask(EngineTask[Image.Image]):
    """The upscaling of one image.

    An image that is still too small after one pass through the model is passed through it a second time. The
    engine thread runs the model; the callback executor reads the image's pixels, blends the upscaled tiles
    and resizes the result to the exact size.

    Attributes:
        upscaler: the model.
        finished: whether all tiles are upscaled.
    """

    def __init__(
        self, upscaler: Upscaler, image: Image.Image, size: Size, *, callback_executor: Executor
    ) -> None:
        super().__init__(callback_executor=callback_executor)
        self.upscaler = upscaler
        self.finished = False
        self._image = image
        self._size = size
        self._passes = 0
        self._tiles: deque[Tile] = deque()

    @property
    def out_of_memory_detail(self) -> str:
        """See `EngineTask.out_of_memory_detail`."""
        return "The upscaler does not fit in GPU memory beside the model; use a smaller upscaler."

    def start(self) -> None:
        """Queues the reading of the image's pixels."""
        self._read: Future[np.ndarray] = self._callback_executor.submit(np.array, self._image)

    def wait_for_pixels(self) -> bool:
        """Whether there are pixels for the next tile, after a wait of a millisecond at most."""
        return bool(wait((self._read,), _WAIT_S).done)

    def upscale_tile(self) -> None:
        """Upscales the next tile; its pixels must have been waited for."""
        if not self._tiles:
            self._begin_pass()
        tile = self._tiles.popleft()
        rows, columns = tile.rows, tile.columns
        pixels = self._pixels[rows.start : rows.end, columns.start : columns.end]
        self._callback_executor.submit(self._blend, self._blender, self.upscaler.upscale(pixels), tile)
        if not self._tiles:
            self._end_pass()

    def restart_pass(self) -> None:
        """Discards the tiles of the current pass, which starts again with the upscaler's new tile size."""
        self._tiles.clear()

    def _begin_pass(self) -> None:
        self._pixels = self._read.result()
        size = (self._pixels.shape[1], self._pixels.shape[0])
        self._tiles += split_into_tiles(size, max_tile_size=self.upscaler.max_tile_size)
        self._blender = TileBlender(size, scale=self.upscaler.scale)

    def _end_pass(self) -> None:
        self._passes += 1
        upscaled = self._blender.image
        too_small = upscaled.width < self._size[0] or upscaled.height < self._size[1]
        if too_small and self.upscaler.scale > 1 and self._passes < _MAX_PASSES:
            self._read = self._callback_executor.submit(np.array, upscaled)
        else:
            self.finished = True
            self._callback_executor.submit(self._resize, upscaled)

    def _blend(self, blender: TileBlender, upscaled: np.ndarray, tile: Tile) -> None:
        with self:
            if not self.done:
                blender.add(Image.fromarray(upscaled), tile)

    def _resize(self, upscaled: Image.Image) -> None:
        with self:
            is_exact = upscaled.size == self._size
            self._succeed(upscaled if is_exact else upscaled.resize(self._size, Image.Resampling.LANCZOS))
