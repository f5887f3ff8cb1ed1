"""Runs a function in a child process with limits on memory and time.

The child is forked from a server process that has imported numpy and Pillow, but not torch (the start method
"forkserver" of multiprocessing), which takes about 10 ms. The limits protect the container from inputs that
take too long or too much memory. The child has the permissions of the container: it is no security boundary.
"""

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["inference.input.image_preprocessing", "cv2"])
_STATM = Path("/proc/self/statm")
_NICENESS = 10
_MAX_OPEN_FILES = 64


@dataclass(frozen=True)
class Limits:
    """The limits of one call.

    Attributes:
        seconds: from the start of the child to the end of the function.
        memory_bytes: address space beyond that of the idle child.
    """

    seconds: float
    memory_bytes: int


class IsolatedCallError(Exception):
    """The function did not return within its limits."""


class TimeLimitError(IsolatedCallError):
    """The function ran out of time."""


class MemoryLimitError(IsolatedCallError):
    """The function ran out of memory."""


class CrashError(IsolatedCallError):
    """The child was killed or crashed."""


class IsolatedCall(Generic[_T]):
    """A call of a function in a child process.

    The function, its arguments and its result must be picklable, and so must the exceptions that it raises.
    """

    def __init__(
        self, limits: Limits, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> None:
        self._limits = limits
        self._receiver, self._sender = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_run, args=(self._sender, limits, function, args, kwargs), daemon=True
        )
        self._lock = Lock()
        self._started = False
        self._killed = False

    def result(self) -> _T:
        """Starts the child and waits for its end. May be called once; blocks.

        Raises:
            TimeLimitError: the time is up.
            MemoryLimitError: the function needs more memory.
            CrashError: the child has crashed, or was killed.
            Exception: raised by the function.
        """
        self._start()
        try:
            if not wait([self._receiver], self._limits.seconds):
                raise TimeLimitError
            try:
                value, error = self._receiver.recv()
            except (EOFError, OSError):
                raise self._crash() from None
        finally:
            self.kill()
            self._process.join()
            self._receiver.close()
        if error is not None:
            raise error
        result: _T = value
        return result

    def kill(self) -> None:
        """Kills the child; `result` then raises CrashError. Any thread may call this at any time."""
        with self._lock:
            self._killed = True
            if self._started:
                self._process.kill()

    def _start(self) -> None:
        self._process.start()
        self._sender.close()
        with self._lock:
            self._started = True
            if self._killed:
                self._process.kill()

    def _crash(self) -> IsolatedCallError:
        self._process.join()
        ended_by_limit = -(self._process.exitcode or 0) in (signal.SIGXCPU, signal.SIGALRM)
        return TimeLimitError() if ended_by_limit else CrashError()


def _run(
    sender: Connection,
    limits: Limits,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """The child's side of a call: sends the result and None, or None and the exception."""
    _restrict(limits)
    try:
        sender.send((function(*args, **kwargs), None))
    except MemoryError:
        sender.send((None, MemoryLimitError()))
    except Exception as error:  # noqa: BLE001 (raised again by `result`)
        sender.send((None, error))


def _restrict(limits: Limits) -> None:
    os.nice(_NICENESS)
    seconds = int(limits.seconds) + 1
    signal.alarm(seconds)  # ends the child also if the container is gone
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))
    limit_address_space(limits.memory_bytes)


def limit_address_space(further_bytes: int) -> None:
    """Limits this process's address space to its present size and further bytes, where /proc exists."""
    if _STATM.exists():
        size = int(_STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + further_bytes, size + further_bytes))
