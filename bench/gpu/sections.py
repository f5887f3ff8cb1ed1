"""Sections of the report, measured one after another within a time limit."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.figures import markdown


@dataclass(frozen=True)
class Section:
    """A table that is still to be measured.

    Attributes:
        title: above the table.
        columns: of the table.
        expected_s: time that the measurement takes at most, about.
        measure: yields the rows one by one, so that those before a failure are kept.
    """

    title: str
    columns: Sequence[str]
    expected_s: float
    measure: Callable[[], Iterable[Sequence[str]]]


def run_sections(
    sections: Sequence[Section],
    *,
    limit_s: float,
    on_report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Measures the sections that fit in the time, and returns the report.

    Args:
        sections: the most important first.
        limit_s: a section that is not expected to fit in the rest is left out, which the report says.
        on_report: is given the report so far after each section.
        clock: in seconds.
    """
    end = clock() + limit_s
    parts: list[str] = []
    for section in sections:
        if clock() + section.expected_s > end:
            parts.append(f"**{section.title}**: not measured, the time was over.")
        else:
            parts.append(_measured(section))
        print(f"[{limit_s - (end - clock()):.0f} s] {parts[-1]}\n", file=sys.stderr, flush=True)
        on_report("\n\n".join(parts))
    return "\n\n".join(parts)


def _measured(section: Section) -> str:
    rows, failure = [], ""
    try:
        for row in section.measure():
            rows.append(row)
            print(f"    {' | '.join(row)}", file=sys.stderr, flush=True)
    except Exception as error:  # noqa: BLE001 - the other sections are measured
        failure = f"\n\nFailed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    table = markdown(section.columns, rows) if rows else ""
    return f"**{section.title}**\n\n{table}{failure}".strip()
