"""The figures that an estimate is made from, with where they come from."""

from collections.abc import Iterator

from infra.prices import Instance, Price, Prices
from operations.cost.assumptions import Assumptions
from operations.cost.tables import Section, Table


def figures(prices: Prices, assumptions: Assumptions) -> Iterator[Section]:
    """Prices, speeds and their sources."""
    yield Section(
        "Prices of instances",
        (f"SageMaker real-time inference in {prices.region}, USD an hour, from infra/prices.toml.",),
        Table(
            ("instance type", "GPU", "USD", "source", "checked"),
            tuple(
                (name, f"{each.gpus} x {each.gpu}", f"{each.usd_per_hour:.10g}", each.source, _checked(each))
                for name, each in prices.instances.items()
            ),
            numbers=frozenset({"USD"}),
        ),
    )
    yield Section(
        "Prices of services",
        (),
        Table(
            ("service", "USD", "for", "unit", "source", "checked"),
            tuple(
                (each.name, f"{each.usd:g}", f"{each.per:,}", each.unit, each.source, _checked(each))
                for each in prices.services.all()
            ),
            numbers=frozenset({"USD", "for"}),
        ),
    )
    yield Section(
        "Where the prices come from", tuple(f"{key}: {words}." for key, words in prices.sources.items())
    )
    yield Section(
        "Where the seconds come from",
        ("From operations/assumptions.toml. None was measured with this project's container.",),
        Table(
            ("model", "GPU", "steps/s", "source"),
            tuple(
                (assumptions.families[each.family].name, each.gpu, f"{each.steps_per_s:g}", each.source)
                for each in assumptions.speeds
            ),
            numbers=frozenset({"steps/s"}),
        ),
    )


def _checked(entry: Instance | Price) -> str:
    return "never" if entry.checked is None else str(entry.checked)
