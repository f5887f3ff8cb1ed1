"""The header `Prefer: wait`, by which a client asks to wait for the end of its prediction."""

import re

_WAIT = re.compile(r"\s*wait\s*(?:=\s*\"?([0-9]{1,4})\"?\s*)?", re.IGNORECASE)


def preferred_wait_s(header: str | None, *, limit_s: int) -> int:
    """The seconds to wait for the end of a prediction; 0 if the client does not ask for it.

    Args:
        header: the value of `Prefer`; preferences that are unknown are ignored, as RFC 7240 requires.
        limit_s: the seconds to wait at most, and without a number.
    """
    for preference in (header or "").split(","):
        if match := _WAIT.fullmatch(preference):
            return min(int(match[1]), limit_s) if match[1] else limit_s
    return 0
