"""Completion messages that are dropped, doubled or delayed at random."""

import random
import threading
from collections import Counter

from local.sagemaker.notifications import Publish

_RATE = 0.1
"""Of each kind of fault."""

_MAX_DELAY_S = 3.0
"""Messages of jobs that end meanwhile arrive earlier."""


class FaultyMessages:
    """Passes completion messages on, except for a part of them.

    Attributes:
        faults: the number of each fault.
    """

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - not for cryptography
        self._lock = threading.Lock()
        self.faults: Counter[str] = Counter()

    def deliver(self, publish: Publish) -> None:
        """Publishes a message once, twice, later or never."""
        with self._lock:
            fault, delay_s = self._chance.random(), self._chance.random() * _MAX_DELAY_S
            kind = next(
                (
                    name
                    for limit, name in enumerate(("dropped", "doubled", "delayed"), 1)
                    if fault < limit * _RATE
                ),
                "delivered",
            )
            self.faults[kind] += 1
        match kind:
            case "dropped":
                return
            case "doubled":
                publish()
                publish()
            case "delayed":
                timer = threading.Timer(delay_s, publish)
                timer.daemon = True
                timer.start()
            case _:
                publish()
