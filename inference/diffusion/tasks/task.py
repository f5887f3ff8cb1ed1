"""What the engine has been asked for, and who gets what comes of it."""

from abc import ABC, abstractmethod
from concurrent.futures import Executor, Future
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Order(ABC, Generic[T]):
    """What one client is owed.

    As a context manager it answers for what its block does: an exception fails the order, and goes no
    further.

    Attributes:
        future: what the client waits for.
    """

    def __init__(self, *, messenger: Executor) -> None:
        """Takes the one thread on which clients hear of what has become of their orders."""
        self.future: Future[T] = Future()
        self._messenger = messenger
        self._resolving = Lock()

    @property
    def over(self) -> bool:
        """Whether nobody waits any more: it is there, or cancelled, or has failed."""
        return self.future.done()

    @property
    @abstractmethod
    def too_large(self) -> str:
        """What to say to the client where the accelerator's memory does not suffice."""

    def fail(self, error: Exception) -> None:
        """Tells that nothing will come of it."""
        with self._resolving:
            if self._is_awaited():
                self.future.set_exception(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.fail(error)
        return True

    def _fulfil(self, result: T) -> None:
        with self._resolving:
            if self._is_awaited():
                self.future.set_result(result)

    def _is_awaited(self) -> bool:
        return not self.over and self.future.set_running_or_notify_cancel()
