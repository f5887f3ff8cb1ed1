"""A cache of upscalers."""

from collections import OrderedDict
from threading import Lock

from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.engine.interface import AdapterFile

_MAX_BYTES = 512 * 1024 * 1024


class UpscalerCache:
    """A thread-safe least-recently-used cache; upscalers stay on the device once they were used there.

    Evicted upscalers stay alive for the tasks that use them.
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        """Takes the limit in bytes of weights; the last upscaler used is cached in any case."""
        self._max_bytes = max_bytes
        self._cached: OrderedDict[AdapterFile, Upscaler] = OrderedDict()
        self._lock = Lock()

    def load(self, file: AdapterFile, *, pointer: str) -> Upscaler:
        """The upscaler in the file, which is read unless it is cached; see `read_upscaler`."""
        with self._lock:
            upscaler = self._cached.get(file) or read_upscaler(file, pointer=pointer)
            self._cached[file] = upscaler
            self._cached.move_to_end(file)
            while len(self._cached) > 1 and self._size_bytes > self._max_bytes:
                self._cached.popitem(last=False)
            return upscaler

    @property
    def _size_bytes(self) -> int:
        return sum(upscaler.size_bytes for upscaler in self._cached.values())
