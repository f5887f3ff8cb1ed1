"""A cache of upscalers."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from contract.problem import FieldError
from inference.diffusion.upscaling.upscaler import Upscaler
from inference.diffusion.upscaling.upscaler_file import read_upscaler
from inference.engine.errors import AdapterUnusableError
from inference.engine.interface import AdapterFile

_MAX_BYTES = 512 * 1024 * 1024
_MAX_REFUSED = 16


class _Refusal(NamedTuple):
    """The content of an error. The error itself would keep the file on disk and its weights in memory."""

    detail: str
    errors: tuple[FieldError, ...]


class UpscalerCache:
    """A thread-safe least-recently-used cache; upscalers stay on the device once they were used there.

    Evicted upscalers stay alive for the tasks that use them. One file is read at a time, which takes seconds;
    cached upscalers are available meanwhile. The errors of unusable files are cached too.
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        """Takes the limit in bytes of weights; the last upscaler used is cached in any case."""
        self._max_bytes = max_bytes
        self._cached: OrderedDict[AdapterFile, Upscaler] = OrderedDict()
        self._refused: OrderedDict[tuple[str, str, str], _Refusal] = OrderedDict()
        self._lock = Lock()
        self._read_lock = Lock()

    def load(self, file: AdapterFile, *, pointer: str) -> Upscaler:
        """The upscaler in the file, which is read unless it is cached; see `read_upscaler`."""
        upscaler = self._find(file, pointer)
        if upscaler is None:
            with self._read_lock:
                upscaler = self._find(file, pointer) or self._read(file, pointer)
        return upscaler

    def _find(self, file: AdapterFile, pointer: str) -> Upscaler | None:
        with self._lock:
            if (refusal := self._refused.get(_identify(file, pointer))) is not None:
                raise AdapterUnusableError(refusal.detail, errors=refusal.errors)
            if file in self._cached:
                self._cached.move_to_end(file)
            return self._cached.get(file)

    def _read(self, file: AdapterFile, pointer: str) -> Upscaler:
        try:
            upscaler = read_upscaler(file, pointer=pointer)
        except AdapterUnusableError as error:
            with self._lock:
                self._refused[_identify(file, pointer)] = _Refusal(error.detail, tuple(error.errors))
                if len(self._refused) > _MAX_REFUSED:
                    self._refused.popitem(last=False)
            raise
        with self._lock:
            self._cached[file] = upscaler
            while len(self._cached) > 1 and self._size_bytes > self._max_bytes:
                self._cached.popitem(last=False)
        return upscaler

    @property
    def _size_bytes(self) -> int:
        return sum(upscaler.size_bytes for upscaler in self._cached.values())


def _identify(file: AdapterFile, pointer: str) -> tuple[str, str, str]:
    return file.name, file.version, pointer
