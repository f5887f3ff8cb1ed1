"""The schedule of webhook calls, for the function that makes them and the queue that repeats them."""

CALL_LIMIT_S = 15
"""The time limit of a call, from the resolution of the host's name to the response's headers."""

RETRY_PAUSES_S = (10, 30, 120, 600, 1800, 3600, 7200)
"""The pauses after failed calls."""

MAX_CALLS = len(RETRY_PAUSES_S) + 1
"""Calls for an event at most."""
