"""The indexes of the jobs table."""

CALLERS_INDEX = "Callers"
"""Jobs by the caller that may list them, `list_key`, and `id`."""

UNFINISHED_INDEX = "Unfinished"
"""Unfinished jobs by `queue` and `due_at`; items without `due_at` are not in it."""
