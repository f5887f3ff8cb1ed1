from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.webhooks import MAX_CALLS
from jobs.webhooks.retries import MAX_RETRY_AFTER_S, parse_retry_after, pause_s

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_pauses_grow_and_the_last_call_is_followed_by_none() -> None:
    assert [pause_s(calls) for calls in range(1, MAX_CALLS + 1)] == [10, 30, 120, 600, 1800, 3600, 7200, 0]


def test_more_receives_than_calls_have_no_pause() -> None:
    assert pause_s(MAX_CALLS + 1, retry_after_s=60) == 0


@pytest.mark.parametrize(
    ("calls", "retry_after_s", "pause"),
    [(1, 60, 60), (1, 5, 10), (4, 60, 600), (1, 86_400, 3600), (7, 86_400, 7200), (8, 60, 0)],
)
def test_a_longer_pause_of_the_receiver_is_kept_up_to_an_hour(
    calls: int, retry_after_s: int, pause: int
) -> None:
    assert pause_s(calls, retry_after_s) == pause


@given(st.integers(1, MAX_CALLS - 1), st.integers(0, 10**9))
def test_a_receiver_can_neither_shorten_a_pause_nor_lengthen_it_beyond_the_limit(
    calls: int, retry_after_s: int
) -> None:
    assert pause_s(calls) <= pause_s(calls, retry_after_s) <= max(pause_s(calls), MAX_RETRY_AFTER_S)


def test_retry_after_is_a_number_of_seconds_or_a_date() -> None:
    assert parse_retry_after("0", NOW) == 0
    assert parse_retry_after("90", NOW) == 90
    assert parse_retry_after(format_datetime(NOW + timedelta(minutes=3), usegmt=True), NOW) == 180
    assert parse_retry_after(format_datetime(NOW - timedelta(minutes=3), usegmt=True), NOW) == 0
    assert parse_retry_after("Sun, 01 Mar 2026 12:01:00", NOW) == 60


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "9" * 40, "Sun, 99 Mar 2026 12:01:00 GMT"])
def test_an_invalid_or_missing_retry_after_is_ignored(value: str | None) -> None:
    assert parse_retry_after(value, NOW) is None


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_makes_parsing_fail(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or seconds >= 0
