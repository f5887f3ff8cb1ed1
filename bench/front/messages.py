"""Completion messages that are counted, and held back on request."""

import threading

from local.sagemaker.notifications import Publish


class CountedMessages:
    """Counts completion messages, and passes them on unless `held_back` is set."""

    def __init__(self) -> None:
        self.held_back = False
        self._changed = threading.Condition()
        self._count = 0

    def deliver(self, publish: Publish) -> None:
        """Publishes a message, or holds it back."""
        if not self.held_back:
            publish()
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    @property
    def count(self) -> int:
        """The messages so far."""
        return self._count

    def wait_for(self, count: int, timeout_s: float) -> None:
        """Waits until there have been this many messages.

        Raises:
            TimeoutError: they were not in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._count >= count, timeout_s):
                raise TimeoutError(f"{self._count} of {count} completion messages after {timeout_s:.0f} s")
