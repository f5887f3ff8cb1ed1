"""The time of the next call after a failed one."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from contract.webhooks import RETRY_PAUSES_S

MAX_RETRY_AFTER_S = 3600


def pause_s(calls: int, retry_after_s: int | None = None) -> int:
    """The seconds until the next call; 0 after the last one, so that the message is dead-lettered at once.

    Args:
        calls: the number of calls that have been made, the failed one included.
        retry_after_s: the pause that the receiver asked for, at least.
    """
    if calls > len(RETRY_PAUSES_S):
        return 0
    return max(RETRY_PAUSES_S[calls - 1], min(retry_after_s or 0, MAX_RETRY_AFTER_S))


def parse_retry_after(value: str | None, now: datetime) -> int | None:
    """The seconds of a header Retry-After, which is a number or a date; None if it is missing or invalid.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0, round((date - now).total_seconds()))
