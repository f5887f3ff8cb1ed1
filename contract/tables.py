"""The indexes of the jobs table."""

CALLERS_INDEX = "Callers"
"""Jobs by the caller that may list them, `list_key`, and `id`."""

CALLERS_ATTRIBUTES = ("status", "model", "tags", "searched")
"""The attributes, beside the keys, that lists are filtered by."""

UNFINISHED_INDEX = "Unfinished"
"""Unfinished jobs by `queue` and `due_at`; items without `due_at` are not in it."""

UNFINISHED_ATTRIBUTES = ("status", "created_at", "started_at", "endpoint", "workload", "units")
"""The attributes, beside the keys, of the summary of an unfinished job."""
