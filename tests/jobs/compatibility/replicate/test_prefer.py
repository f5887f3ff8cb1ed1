"""The header Prefer."""

import pytest

from jobs.compatibility.replicate.prefer import preferred_wait_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait", 25),
        ("wait=5", 5),
        ("wait=60", 25),
        ("respond-async, Wait = 7", 7),
        ('wait="3"', 3),
        ("wait=0", 0),
        ("wait=soon", 0),
        ("wait=-1", 0),
        ("waiting", 0),
    ],
)
def test_the_seconds_to_wait(header: str | None, seconds: int) -> None:
    assert preferred_wait_s(header, limit_s=25) == seconds
