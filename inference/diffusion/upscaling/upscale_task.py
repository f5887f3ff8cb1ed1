"""A picture on its way to a larger size."""

from collections import deque
from concurrent.futures import Executor

from PIL import Image

from contract.size import Size
from inference.diffusion.tasks.task import Order
from inference.diffusion.upscaling.tiles import Mosaic, Tile, tiles_of
from inference.diffusion.upscaling.upscaler import Upscaler

_MOST_PASSES = 2


class Enlargement(Order[Image.Image]):
    """A picture that somebody wants larger, and how far it is.

    What one pass of the model leaves too small goes through it again. The messenger brings the last result to
    the exact size: work for the processor, which must not hold up the device.

    Attributes:
        upscaler: what enlarges.
        finished: whether there is no other tile.
    """

    def __init__(self, upscaler: Upscaler, picture: Image.Image, size: Size, *, messenger: Executor) -> None:
        super().__init__(messenger=messenger)
        self.upscaler = upscaler
        self.finished = False
        self._picture = picture
        self._size = size
        self._passes = 0
        self._tiles: deque[Tile] = deque()

    @property
    def too_large(self) -> str:
        """See `Order.too_large`."""
        return "The upscaler does not fit the accelerator's memory beside the model; use a smaller one."

    def enlarge_tile(self) -> None:
        """Enlarges the next tile."""
        if not self._tiles:
            self._begin_pass()
        tile = self._tiles.popleft()
        self._mosaic.lay(self.upscaler.enlarge(self._picture.crop(tile.box)), tile)
        if not self._tiles:
            self._end_pass()

    def begin_again(self) -> None:
        """Gives up what there is of the pass; the next tile is the first one, as large as it may be now."""
        self._tiles.clear()

    def _begin_pass(self) -> None:
        self._tiles += tiles_of(self._picture.size, largest=self.upscaler.largest_tile)
        self._mosaic = Mosaic(self._picture.size, scale=self.upscaler.scale)

    def _end_pass(self) -> None:
        self._passes += 1
        enlarged = self._mosaic.image
        falls_short = enlarged.width < self._size[0] or enlarged.height < self._size[1]
        if falls_short and self.upscaler.scale > 1 and self._passes < _MOST_PASSES:
            self._picture = enlarged
        else:
            self.finished = True
            self._messenger.submit(self._deliver, enlarged)

    def _deliver(self, enlarged: Image.Image) -> None:
        with self:
            exact = enlarged.size == self._size
            self._fulfil(enlarged if exact else enlarged.resize(self._size, Image.Resampling.LANCZOS))
