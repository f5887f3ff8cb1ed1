from infra.prices import Price
from operations.cost.line_item import LineItem, format_usd, priced, total_usd


def price(usd: float, per: int) -> Price:
    return Price(name="Mail", usd=usd, per=per, unit="letters", source="known")


def test_a_line_item_shows_its_calculation() -> None:
    assert priced(price(2.5, 1_000_000), 4_000_000, calculation="2 x 2,000,000") == LineItem(
        "Mail", "2 x 2,000,000 = 4,000,000 letters x $2.5 / 1,000,000", 10.0
    )
    assert priced(price(0.5, 1), 1.5) == LineItem("Mail", "1.5 letters x $0.5", 0.75)


def test_amounts_are_rounded_to_cents_and_summed() -> None:
    assert [format_usd(usd) for usd in (0, 0.004, 0.005, 1234.567)] == ["0.00", "< 0.01", "0.01", "1,234.57"]
    assert total_usd([LineItem("a", "", 1.5), LineItem("b", "", 2.25)]) == 3.75
