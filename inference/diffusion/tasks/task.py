"""A task on the engine thread, and the future of its result."""

from abc import ABC, abstractmethod
from concurrent.futures import Executor, Future
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class EngineTask(ABC, Generic[T]):
    """A submitted task.

    As a context manager it fails with whatever exception its block raises, which is then suppressed.

    Attributes:
        future: resolves to the result; cancelling it works until the result is set.
    """

    def __init__(self, *, callback_executor: Executor) -> None:
        """Takes a single-threaded executor, on which callbacks run and results are set in order."""
        self.future: Future[T] = Future()
        self._callback_executor = callback_executor
        self._resolving = Lock()

    @property
    def done(self) -> bool:
        """Whether the future has a result, has failed or has been cancelled."""
        return self.future.done()

    @property
    @abstractmethod
    def out_of_memory_detail(self) -> str:
        """The error text for when the task does not fit in GPU memory."""

    def fail(self, error: Exception) -> None:
        """Sets the future's exception, unless it is done."""
        with self._resolving:
            if self._can_resolve():
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

    def _succeed(self, result: T) -> None:
        with self._resolving:
            if self._can_resolve():
                self.future.set_result(result)

    def _can_resolve(self) -> bool:
        return not self.done and self.future.set_running_or_notify_cancel()
