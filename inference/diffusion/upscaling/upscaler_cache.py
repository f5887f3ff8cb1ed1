"""The upscalers that were used last."""

from collections import OrderedDict
from threading import Lock

from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.engine.interface import AdapterFile

_MAX_BYTES = 512 * 1024 * 1024


class UpscalerCache:
    """Keeps upscalers in memory, on the device once they have been used there; any thread may ask for one.

    Those that are dropped live on for as long as somebody enlarges with them.
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        """Takes the most bytes of weights to keep; the last one used is kept in any case."""
        self._max_bytes = max_bytes
        self._kept: OrderedDict[AdapterFile, Upscaler] = OrderedDict()
        self._lock = Lock()

    def load(self, file: AdapterFile, *, pointer: str) -> Upscaler:
        """The upscaler in the file, which is read if the upscaler is not kept; see `read_upscaler`."""
        with self._lock:
            upscaler = self._kept.get(file) or read_upscaler(file, pointer=pointer)
            self._kept[file] = upscaler
            self._kept.move_to_end(file)
            while len(self._kept) > 1 and self._size_in_bytes > self._max_bytes:
                self._kept.popitem(last=False)
            return upscaler

    @property
    def _size_in_bytes(self) -> int:
        return sum(upscaler.size_in_bytes for upscaler in self._kept.values())
