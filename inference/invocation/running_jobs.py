"""The running jobs of a container: admission, cancellation from outside, and draining at shutdown."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from contract.problem import ProblemError
from inference.engine.errors import EngineClosedError


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


class RunningJobs:
    """Admits jobs until the container drains. All methods must be called on the event loop."""

    def __init__(self) -> None:
        self._draining = False
        self._canceling = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._scopes: set[CancelScope] = set()

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

    @asynccontextmanager
    async def cancel_scope(self) -> AsyncIterator[CancelScope]:
        """A block that can be cancelled from outside, together with the future that it awaits.

        Raises:
            ProblemError: the error that the scope was cancelled with.
        """
        timeout = asyncio.timeout(None)
        scope = CancelScope(timeout)
        try:
            async with timeout:
                self._scopes.add(scope)
                if self._canceling:
                    scope.cancel(_shutting_down())
                try:
                    yield scope
                finally:
                    self._scopes.discard(scope)
        except TimeoutError:
            if scope.error is None or not timeout.expired():
                raise
            raise scope.error from None

    async def drain(self, *, timeout_s: float, grace_s: float) -> None:
        """Stops admitting jobs and waits for the running ones.

        Args:
            timeout_s: after this time all cancel scopes are cancelled with an EngineClosedError.
            grace_s: further time for the jobs to store their images or to report the error.
        """
        self._draining = True
        if await self._wait_until_idle(timeout_s):
            return
        self._canceling = True
        for scope in tuple(self._scopes):
            scope.cancel(_shutting_down())
        await self._wait_until_idle(grace_s)

    async def _wait_until_idle(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


def _shutting_down() -> EngineClosedError:
    return EngineClosedError("This container is shutting down; send the request again to another container.")
