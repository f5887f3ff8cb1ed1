"""What the doctor says: a line a check, and a count at the end."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from operations.doctor.check import Status
from operations.doctor.runner import Line

_STYLES = {
    Status.PASS: "green",
    Status.WARN: "bold yellow",
    Status.FAIL: "bold red",
    Status.SKIPPED: "yellow",
}
_NAME_WIDTH = 24


def report(lines: Iterable[Line], console: Console) -> bool:
    """Shows each line when it is there; True if nothing has failed."""
    counts: Counter[Status] = Counter()
    for name, finding in lines:
        counts[finding.status] += 1
        text = Text.assemble(
            (f"{finding.status:<8} ", _STYLES[finding.status]), f"{name:<{_NAME_WIDTH}} ", finding.found
        )
        if finding.remedy:
            text.append(f". To do: {finding.remedy}", style="bold")
        console.print(text, soft_wrap=True)
    console.print(", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items()), soft_wrap=True)
    return not counts[Status.FAIL]


_WORDS = {
    Status.PASS: "passed",
    Status.WARN: "doubtful",
    Status.FAIL: "failed",
    Status.SKIPPED: "skipped",
}
