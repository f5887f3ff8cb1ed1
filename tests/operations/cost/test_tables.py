from rich.console import Console

from operations.cost.tables import Section, Table, markdown, show

SECTION = Section(
    "Bill", ("Two lines.",), Table(("item", "USD"), (("a [b]", "1.00"), ("c", "12.00")), frozenset({"USD"}))
)


def test_console_and_markdown_show_the_same_rows() -> None:
    console = Console(width=60, record=True)
    show([SECTION], console)
    shown = [line.split() for line in console.export_text().splitlines()]
    assert ["a", "[b]", "│", "1.00"] in shown
    heading = "# Costs\n\n## Bill\n\nTwo lines.\n\n"
    assert markdown("Costs", [SECTION]) == (
        f"{heading}| item | USD |\n| --- | ---: |\n| a [b] | 1.00 |\n| c | 12.00 |\n"
    )
