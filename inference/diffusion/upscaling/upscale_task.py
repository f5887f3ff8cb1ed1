"""A picture on its way to a larger size."""

from collections import deque
from concurrent.futures import Executor

from PIL import Image

from contract.size import Size
from inference.diffusion.tasks.task import EngineTask
from inference.diffusion.upscaling.tiles import Mosaic, Tile, tiles_of
from inference.diffusion.upscaling.upscaler import Upscaler

_MOST_PASSES = 2


class UpscaleTask(EngineTask[Image.Image]):
    """A picture that somebody wants larger, and how far it is.

    An image that is still too small after one pass goes through the model again. The callback executor
    resizes the last result to the exact size: CPU work, which must not block the engine thread.

    Attributes:
        upscaler: what enlarges.
        finished: whether there is no other tile.
    """

    def __init__(
        self, upscaler: Upscaler, picture: Image.Image, size: Size, *, callback_executor: Executor
    ) -> None:
        super().__init__(callback_executor=callback_executor)
        self.upscaler = upscaler
        self.finished = False
        self._picture = picture
        self._size = size
        self._passes = 0
        self._tiles: deque[Tile] = deque()

    @property
    def out_of_memory_detail(self) -> str:
        """See `EngineTask.out_of_memory_detail`."""
        return "The upscaler does not fit the accelerator's memory beside the model; use a smaller one."

    def upscale_tile(self) -> None:
        """Enlarges the next tile."""
        if not self._tiles:
            self._begin_pass()
        tile = self._tiles.popleft()
        self._mosaic.lay(self.upscaler.upscale(self._picture.crop(tile.box)), tile)
        if not self._tiles:
            self._end_pass()

    def restart_pass(self) -> None:
        """Gives up what there is of the pass; the next tile is the first one, as large as it may be now."""
        self._tiles.clear()

    def _begin_pass(self) -> None:
        self._tiles += tiles_of(self._picture.size, largest=self.upscaler.largest_tile)
        self._mosaic = Mosaic(self._picture.size, scale=self.upscaler.scale)

    def _end_pass(self) -> None:
        self._passes += 1
        upscaled = self._mosaic.image
        falls_short = upscaled.width < self._size[0] or upscaled.height < self._size[1]
        if falls_short and self.upscaler.scale > 1 and self._passes < _MOST_PASSES:
            self._picture = upscaled
        else:
            self.finished = True
            self._callback_executor.submit(self._deliver, upscaled)

    def _deliver(self, upscaled: Image.Image) -> None:
        with self:
            exact = upscaled.size == self._size
            self._succeed(upscaled if exact else upscaled.resize(self._size, Image.Resampling.LANCZOS))
