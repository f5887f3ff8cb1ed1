"""Line items of a bill."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.prices import Price


@dataclass(frozen=True)
class LineItem:
    """A cost and its calculation."""

    name: str
    calculation: str
    usd: float


def priced(price: Price, quantity: float, *, calculation: str = "") -> LineItem:
    """The line item for a quantity of the price's unit; `calculation` explains the quantity."""
    units = f"{quantity:,.6g}" if quantity < 1_000_000 else f"{quantity:,.0f}"
    prefix = f"{calculation} = " if calculation else ""
    return LineItem(price.name, f"{prefix}{units} {price.unit} x {price}", price.of(quantity))


def total_usd(items: Iterable[LineItem]) -> float:
    """The sum of the items in USD."""
    return sum(item.usd for item in items)


def format_usd(usd: float) -> str:
    """An amount in USD with two decimals; `< 0.01` for amounts that would round to zero."""
    return "< 0.01" if 0 < usd < 0.005 else f"{usd:,.2f}"
