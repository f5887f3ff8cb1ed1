"""An upscaling task on the engine thread: the image, and the tiles that remain."""

from collections import deque
from concurrent.futures import Executor

from PIL import Image

from contract.size import Size
from inference.diffusion.tasks.task import EngineTask
from inference.diffusion.upscaling.tiles import Tile, TileBlender, split_into_tiles
from inference.diffusion.upscaling.upscaler import Upscaler

_MAX_PASSES = 2


class UpscaleTask(EngineTask[Image.Image]):
    """The upscaling of one image.

    An image that is still too small after one pass through the model is passed through it a second time. The
    callback executor resizes the result to the exact size: CPU work, which must not block the engine thread.

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

    def upscale_tile(self) -> None:
        """Upscales the next tile."""
        if not self._tiles:
            self._begin_pass()
        tile = self._tiles.popleft()
        self._blender.add(self.upscaler.upscale(self._image.crop(tile.box)), tile)
        if not self._tiles:
            self._end_pass()

    def restart_pass(self) -> None:
        """Discards the tiles of the current pass, which starts again with the upscaler's new tile size."""
        self._tiles.clear()

    def _begin_pass(self) -> None:
        self._tiles += split_into_tiles(self._image.size, max_tile_size=self.upscaler.max_tile_size)
        self._blender = TileBlender(self._image.size, scale=self.upscaler.scale)

    def _end_pass(self) -> None:
        self._passes += 1
        upscaled = self._blender.image
        too_small = upscaled.width < self._size[0] or upscaled.height < self._size[1]
        if too_small and self.upscaler.scale > 1 and self._passes < _MAX_PASSES:
            self._image = upscaled
        else:
            self.finished = True
            self._callback_executor.submit(self._resize, upscaled)

    def _resize(self, upscaled: Image.Image) -> None:
        with self:
            is_exact = upscaled.size == self._size
            self._succeed(upscaled if is_exact else upscaled.resize(self._size, Image.Resampling.LANCZOS))
