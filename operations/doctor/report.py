"""The doctor's output: one line per check and the counts at the end."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from operations.doctor.check import Status
from operations.doctor.runner import NamedResult

_STYLES = {
    Status.PASS: "green",
    Status.WARN: "bold yellow",
    Status.FAIL: "bold red",
    Status.SKIPPED: "yellow",
}
_COUNT_LABELS = {
    Status.PASS: "passed",
    Status.WARN: "warnings",
    Status.FAIL: "failed",
    Status.SKIPPED: "skipped",
}
_NAME_WIDTH = 24


def report(results: Iterable[NamedResult], console: Console) -> bool:
    """Prints each result when it is available. Returns whether no check has failed."""
    counts: Counter[Status] = Counter()
    for name, result in results:
        counts[result.status] += 1
        text = Text.assemble(
            (f"{result.status:<8} ", _STYLES[result.status]), f"{name:<{_NAME_WIDTH}} ", result.message
        )
        if result.remedy:
            text.append(f". To do: {result.remedy}", style="bold")
        console.print(text, soft_wrap=True)
    summary = ", ".join(f"{counts[status]} {label}" for status, label in _COUNT_LABELS.items())
    console.print(summary, soft_wrap=True)
    return not counts[Status.FAIL]
