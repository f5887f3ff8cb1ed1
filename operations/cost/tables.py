"""Sections of text and tables, printed on the console or as Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass

import rich.table
from rich.console import Console
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """A table of text cells.

    Attributes:
        numeric_columns: headings of right-aligned columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric_columns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Section:
    """A heading, paragraphs and an optional table."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None


def show(sections: Iterable[Section], console: Console) -> None:
    """Prints the sections."""
    for section in sections:
        console.print(Text(f"\n{section.title}", style="bold"))
        for paragraph in section.paragraphs:
            console.print(Text(paragraph))
        if section.table is not None:
            console.print(_rich(section.table))


def _rich(table: Table) -> rich.table.Table:
    shown = rich.table.Table(show_edge=False)
    for column in table.columns:
        shown.add_column(
            column, justify="right" if column in table.numeric_columns else "left", overflow="fold"
        )
    for row in table.rows:
        shown.add_row(*map(Text, row))
    return shown


def markdown(title: str, sections: Iterable[Section]) -> str:
    """The sections as a Markdown document."""
    blocks = [f"# {title}"]
    for section in sections:
        blocks += [f"## {section.title}", *section.paragraphs]
        if section.table is not None:
            blocks.append(_markdown(section.table))
    return "\n\n".join(blocks) + "\n"


def _markdown(table: Table) -> str:
    rule = tuple("---:" if column in table.numeric_columns else "---" for column in table.columns)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (table.columns, rule, *table.rows))
