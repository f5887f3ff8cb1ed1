"""The running jobs of a container: admission, cancellation from outside, and draining at shutdown."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from contract.problem import ProblemError
from inference.engine.errors import EngineClosedError

_REPORT_S = 0.5
"""For jobs whose storing is cancelled to report the error."""


class CancelScope:
    """Cancels a block of a job from outside; see `RunningJobs.cancel_scope`."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self.error: ProblemError | None = None

    def cancel(self, error: ProblemError) -> None:
        """Raises `error` at the block's current or next await; of several calls the first counts."""
        if self.error is None:
            self.error = error
            self._timeout.reschedule(asyncio.get_running_loop().time())


class _Scopes:
    """The open cancel scopes of one kind."""

    def __init__(self) -> None:
        self._open: set[CancelScope] = set()
        self._error: ProblemError | None = None

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[CancelScope]:
        timeout = asyncio.timeout(None)
        scope = CancelScope(timeout)
        try:
            async with timeout:
                self._open.add(scope)
                if self._error is not None:
                    scope.cancel(self._error)
                try:
                    yield scope
                finally:
                    self._open.discard(scope)
        except TimeoutError:
            if scope.error is None or not timeout.expired():
                raise
            raise scope.error from None

    def cancel(self, error: ProblemError) -> None:
        """Cancels the open scopes, and those that are entered later."""
        self._error = error
        for scope in tuple(self._open):
            scope.cancel(error)


class RunningJobs:
    """Admits jobs until the container drains. All methods must be called on the event loop."""

    def __init__(self) -> None:
        self._draining = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._generating = _Scopes()
        self._storing = _Scopes()

    def check(self) -> None:
        """Raises EngineClosedError if no more jobs are admitted."""
        if self._draining:
            raise _shutting_down()

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Counts the block as a running job.

        Raises:
            EngineClosedError: no more jobs are admitted.
        """
        self.check()
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def cancel_scope(self) -> AbstractAsyncContextManager[CancelScope]:
        """A block that generates, and can be cancelled from outside, together with the future that it awaits.

        Raises:
            ProblemError: the error that the scope was cancelled with.
        """
        return self._generating.enter()

    def storing_scope(self) -> AbstractAsyncContextManager[CancelScope]:
        """A block that stores the generated images; it is cancelled only when the container has to exit.

        Raises:
            ProblemError: the error that the scope was cancelled with.
        """
        return self._storing.enter()

    async def drain(self, *, timeout_s: float, grace_s: float) -> None:
        """Stops admitting jobs, and waits for the running ones to end, with an EngineClosedError if need be.

        Args:
            timeout_s: after this time the jobs that still generate are cancelled.
            grace_s: further time for the jobs to store their images or to report the error; then those that
                still store are cancelled.
        """
        self._draining = True
        if await self._wait_until_idle(timeout_s):
            return
        self._generating.cancel(_shutting_down())
        if await self._wait_until_idle(grace_s):
            return
        self._storing.cancel(_shutting_down())
        await self._wait_until_idle(_REPORT_S)

    async def _wait_until_idle(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


def _shutting_down() -> EngineClosedError:
    return EngineClosedError("This container is shutting down; send the request again to another container.")
