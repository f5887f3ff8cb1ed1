"""The prices and speeds of an estimate, with their sources, as sections of docs/cost.md."""

from collections.abc import Iterator

from infra.prices import Instance, Price, Prices
from operations.cost.assumptions import Assumptions
from operations.cost.tables import Section, Table


def figures(prices: Prices, assumptions: Assumptions) -> Iterator[Section]:
    """The sections with all prices, all speeds and their sources."""
    yield Section(
        "Prices of instances",
        (f"SageMaker real-time inference in {prices.region}, USD per hour, from infra/prices.toml.",),
        Table(
            ("instance type", "GPU", "USD", "source", "checked"),
            tuple(
                (name, f"{each.gpus} x {each.gpu}", f"{each.usd_per_hour:.10g}", each.source, _checked(each))
                for name, each in prices.instances.items()
            ),
            numeric_columns=frozenset({"USD"}),
        ),
    )
    yield Section(
        "Prices of services",
        (),
        Table(
            ("service", "USD", "per", "unit", "source", "checked"),
            tuple(
                (each.name, f"{each.usd:g}", f"{each.per:,}", each.unit, each.source, _checked(each))
                for each in prices.services.all()
            ),
            numeric_columns=frozenset({"USD", "per"}),
        ),
    )
    yield Section(
        "Sources of the prices", tuple(f"{key}: {source}." for key, source in prices.sources.items())
    )
    yield Section(
        "Sources of the speeds",
        ("From operations/assumptions.toml. None was measured with this project's container.",),
        Table(
            ("model", "GPU", "steps/s", "source"),
            tuple(
                (assumptions.families[each.family].name, each.gpu, f"{each.steps_per_s:g}", each.source)
                for each in assumptions.speeds
            ),
            numeric_columns=frozenset({"steps/s"}),
        ),
    )


def _checked(entry: Instance | Price) -> str:
    return "never" if entry.checked is None else str(entry.checked)
