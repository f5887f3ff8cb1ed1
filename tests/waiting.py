"""Waiting for conditions in tests."""

import time
from collections.abc import Callable

import pytest

LIMIT_S = 120
"""Upper bound of every wait: only failing tests reach it, on busy machines too."""

_POLL_S = 0.02


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns as soon as the condition holds, and fails the test if it does not within `LIMIT_S`."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"the condition did not hold within {LIMIT_S} seconds")
        time.sleep(_POLL_S)
