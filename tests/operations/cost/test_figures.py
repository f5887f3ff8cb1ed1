import tomllib

from infra.prices import PRICES, Prices
from operations.cost.assumptions import Assumptions
from operations.cost.figures import figures


def test_all_prices_and_speeds_are_listed_with_their_sources() -> None:
    prices, assumptions = Prices.read(), Assumptions.read()
    rows = {section.title: section.table.rows for section in figures(prices, assumptions) if section.table}
    assert [row[0] for row in rows["Prices of instances"]] == list(prices.instances)
    assert [row[0] for row in rows["Prices of services"]] == [each.name for each in prices.services.all()]
    assert [row[-1] for row in rows["Sources of the speeds"]] == [each.source for each in assumptions.speeds]


def test_the_date_of_a_prices_last_check_is_shown() -> None:
    document = tomllib.loads(
        PRICES.read_text().replace('source = "quoted" }', 'source = "quoted", checked = 2027-01-31 }')
    )
    sections = figures(Prices.model_validate(document), Assumptions.read())
    checked = {row[0]: row[-1] for section in sections if section.table for row in section.table.rows}
    assert (checked["ml.g4dn.xlarge"], checked["ml.g5.xlarge"]) == ("2027-01-31", "never")
