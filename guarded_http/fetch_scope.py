"""Cancellation of blocking requests from another thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Self


class FetchCancelledError(Exception):
    """The fetch was cancelled: its job has failed, was canceled, or its caller has gone."""


class FetchScope:
    """The fetches of one job. Leaving the `with` block cancels those that still run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._callbacks: set[Callable[[], None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._cancelled = True
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback()

    @property
    def cancelled(self) -> bool:
        """Whether the block has been left."""
        return self._cancelled

    def check(self) -> None:
        """Raises FetchCancelledError if the scope is cancelled."""
        if self._cancelled:
            raise FetchCancelledError

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Calls `interrupt`, on another thread, if the scope is cancelled during the block.

        Raises:
            FetchCancelledError: the scope is cancelled already.
        """
        with self._lock:
            self.check()
            self._callbacks.add(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.discard(interrupt)
