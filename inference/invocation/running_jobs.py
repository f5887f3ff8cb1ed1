"""The jobs that a container has taken: how one is ended before its time, and how all of them are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from contract.problem import ProblemError
from inference.engine.errors import EngineClosedError


class Interruption:
    """Ends a block of a job from outside; see `RunningJobs.interruptible`."""

    def __init__(self, scope: asyncio.Timeout) -> None:
        self._scope = scope
        self.error: ProblemError | None = None

    def end(self, error: ProblemError) -> None:
        """Raises the error in the block, where it waits; of several errors the first counts."""
        if self.error is None:
            self.error = error
            self._scope.reschedule(asyncio.get_running_loop().time())


class RunningJobs:
    """Admits jobs until the container is told to stop. Everything here happens on the event loop."""

    def __init__(self) -> None:
        self._draining = False
        self._unanswered = 0
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        self._interruptions: set[Interruption] = set()

    def check(self) -> None:
        """Raises EngineClosedError if no job is admitted any more."""
        if self._draining:
            raise _closed()

    @contextmanager
    def job(self) -> Iterator[None]:
        """A job, from its arrival to its answer.

        Raises:
            EngineClosedError: no job is admitted any more.
        """
        self.check()
        self._unanswered += 1
        self._all_answered.clear()
        try:
            yield
        finally:
            self._unanswered -= 1
            if not self._unanswered:
                self._all_answered.set()

    @asynccontextmanager
    async def interruptible(self) -> AsyncIterator[Interruption]:
        """A block that can be ended from outside while it waits; what it waits for is cancelled.

        Raises:
            ProblemError: the one that the block has been ended with.
        """
        scope = asyncio.timeout(None)
        interruption = Interruption(scope)
        try:
            async with scope:
                self._interruptions.add(interruption)
                try:
                    yield interruption
                finally:
                    self._interruptions.discard(interruption)
        except TimeoutError:
            if interruption.error is None or not scope.expired():
                raise
            raise interruption.error from None

    async def drain(self, *, limit_s: float, answering_s: float) -> None:
        """Admits no more jobs and returns when every one is answered, or time is up.

        Args:
            limit_s: after so long, interruptible blocks are ended, with an EngineClosedError.
            answering_s: what the other jobs, whose images are being stored, are given beyond that.
        """
        self._draining = True
        if await self._answered_within(limit_s):
            return
        for interruption in tuple(self._interruptions):
            interruption.end(_closed())
        await self._answered_within(answering_s)

    async def _answered_within(self, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self._all_answered.wait()
        except TimeoutError:
            return False
        return True


def _closed() -> EngineClosedError:
    return EngineClosedError("The container is being shut down; send the job again, to another.")
