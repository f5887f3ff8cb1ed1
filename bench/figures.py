"""Figures of samples, and Markdown tables."""

import statistics
from collections.abc import Iterable, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(values: Sequence[float], share: float = 0.5) -> str:
    """A percentile of seconds, in milliseconds."""
    return f"{percentile(values, share) * 1000:.1f}"


def median(values: Sequence[float], digits: int = 2) -> str:
    """The median."""
    return f"{statistics.median(values):.{digits}f}"


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns are aligned to the right, except for the first."""
    rule = ("---", *["---:"] * (len(columns) - 1))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows))
