"""Waiting for conditions in tests."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

LIMIT_S = 120
"""Upper bound of every wait: only failing tests reach it, on busy machines too."""

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], description: str = "the condition holds", *, poll_s: float = 0.02
) -> T:
    """Returns the condition's first true result, and fails the test if there is none within `LIMIT_S`."""
    deadline = time.monotonic() + LIMIT_S
    while not (result := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {LIMIT_S} seconds: {description}")
        time.sleep(poll_s)
    return result
