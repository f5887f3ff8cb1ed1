import tomllib
from datetime import date

import pytest
from pydantic import ValidationError

from infra.prices import PRICES, Price, Prices, UnknownInstanceTypeError


def test_an_unknown_instance_type_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(UnknownInstanceTypeError) as raised:
        Prices.read().instance("ml.g7.xlarge")
    message = str(raised.value)
    assert "infra/prices.toml has no price for ml.g7.xlarge" in message
    assert "https://aws.amazon.com/sagemaker/" in message
    assert "ml.g5.xlarge" in message


def test_a_price_with_an_unexplained_source_is_rejected() -> None:
    document = tomllib.loads(PRICES.read_text())
    del document["sources"]["known"]
    with pytest.raises(ValidationError, match=r"sources that \[sources\] does not explain: known"):
        Prices.model_validate(document)


def test_a_price_can_have_the_date_of_its_last_check() -> None:
    document = tomllib.loads(
        PRICES.read_text().replace('source = "quoted" }', 'source = "quoted", checked = 2027-01-31 }')
    )
    prices = Prices.model_validate(document)
    assert prices.instance("ml.g4dn.xlarge").checked == date(2027, 1, 31)
    assert prices.instance("ml.g5.xlarge").checked is None


def test_the_cost_of_a_quantity() -> None:
    price = Price(name="Mail", usd=2.5, per=1_000_000, unit="letters", source="known")
    assert price.of(4_000_000) == 10.0
    assert str(price) == "$2.5 / 1,000,000"
