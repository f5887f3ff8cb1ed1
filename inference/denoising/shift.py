"""Works that share the device."""

from collections import deque
from typing import Protocol


class Turning(Protocol):
    """What may have something to do."""

    @property
    def busy(self) -> bool:
        """Whether a turn has anything to do."""
        ...

    def turn(self) -> None:
        """Does a little of it."""
        ...


class Shift:
    """Gives turns to those that are busy, one after the other, so that none waits for another to finish."""

    def __init__(self, *works: Turning) -> None:
        self._works = deque(works)

    @property
    def busy(self) -> bool:
        """Whether any of them is."""
        return any(work.busy for work in self._works)

    def turn(self) -> None:
        """Lets the next one that is busy have its turn."""
        for work in tuple(self._works):
            self._works.rotate(-1)
            if work.busy:
                work.turn()
                return
