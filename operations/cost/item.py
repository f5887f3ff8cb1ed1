"""A line of a bill."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.prices import Price


@dataclass(frozen=True)
class Item:
    """What something costs, and how that comes about."""

    name: str
    arithmetic: str
    usd: float


def priced(price: Price, quantity: float, *, of: str = "") -> Item:
    """So many of the price's unit; `of` says how they come about."""
    units = f"{quantity:,.6g}" if quantity < 1_000_000 else f"{quantity:,.0f}"
    return Item(price.name, f"{of + ' = ' if of else ''}{units} {price.unit} x {price}", price.of(quantity))


def total(items: Iterable[Item]) -> float:
    """USD."""
    return sum(item.usd for item in items)


def money(usd: float) -> str:
    """An amount in USD; what is less than a cent but not nothing is said to be so."""
    return "< 0.01" if 0 < usd < 0.005 else f"{usd:,.2f}"
