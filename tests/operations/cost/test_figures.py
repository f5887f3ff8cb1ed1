import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from contract import metrics
from infra.prices import PRICES, Price, Prices, UnknownInstanceTypeError
from operations.cost.assumptions import ASSUMPTIONS, Assumptions
from operations.cost.figures import figures
from operations.cost.inventory import Inventory
from operations.cost.item import Item, money, priced, total


def test_an_unknown_instance_type_is_said_to_be_so() -> None:
    with pytest.raises(UnknownInstanceTypeError) as raised:
        Prices.read().instance("ml.g7.xlarge")
    sentence = str(raised.value)
    assert "infra/prices.toml has no price for ml.g7.xlarge" in sentence
    assert "https://aws.amazon.com/sagemaker/" in sentence
    assert "ml.g5.xlarge" in sentence


def test_every_price_names_a_source_that_is_explained() -> None:
    document = tomllib.loads(PRICES.read_text())
    del document["sources"]["known"]
    with pytest.raises(ValidationError, match=r"\[sources\] has no known"):
        Prices.model_validate(document)


def test_a_price_may_be_given_the_day_it_was_checked() -> None:
    document = tomllib.loads(
        PRICES.read_text().replace('source = "quoted" }', 'source = "quoted", checked = 2027-01-31 }')
    )
    prices = Prices.model_validate(document)
    assert prices.instance("ml.g4dn.xlarge").checked == date(2027, 1, 31)
    assert prices.instance("ml.g5.xlarge").checked is None
    cells = {
        row[0]: row[-1]
        for section in figures(prices, Assumptions.read())
        if section.table
        for row in section.table.rows
    }
    assert (cells["ml.g4dn.xlarge"], cells["ml.g5.xlarge"]) == ("2027-01-31", "never")


def test_every_speed_is_of_a_known_family_and_a_priced_gpu() -> None:
    assumptions, prices = Assumptions.read(), Prices.read()
    gpus = {instance.gpu for instance in prices.instances.values()}
    assert {speed.family for speed in assumptions.speeds} <= set(assumptions.families)
    assert {speed.gpu for speed in assumptions.speeds} <= gpus


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [
        (128, 128, "Stable Diffusion 1.5"),
        (512, 768, "Stable Diffusion 1.5"),
        (1024, 1024, "Stable Diffusion XL"),
        (832, 1216, "Stable Diffusion XL"),
    ],
)
def test_a_models_family_is_the_nearest_in_size(width: int, height: int, name: str) -> None:
    assert Assumptions.read().family_of(width, height).name == name


def test_the_containers_metrics_are_all_counted() -> None:
    names = {name for name in vars(metrics) if name.isupper()}
    kinds = {name for name in names if not name.endswith(("NAMESPACE", "_DIMENSION", "_PROPERTY"))}
    assert Assumptions.read().job.container_metrics == len(kinds)


def test_assumptions_must_make_sense(tmp_path: Path) -> None:
    path = tmp_path / "assumptions.toml"
    path.write_text(ASSUMPTIONS.read_text().replace("sessions_a_day = 2", "sessions_a_day = 0"))
    with pytest.raises(ValidationError, match="sessions_a_day"):
        Assumptions.read(path)


def price(usd: float, per: int) -> Price:
    return Price(name="Mail", usd=usd, per=per, unit="letters", source="known")


def test_a_line_shows_how_it_comes_about() -> None:
    assert priced(price(2.5, 1_000_000), 4_000_000, of="2 x 2,000,000") == Item(
        "Mail", "2 x 2,000,000 = 4,000,000 letters x $2.5 / 1,000,000", 10.0
    )
    assert priced(price(0.5, 1), 1.5) == Item("Mail", "1.5 letters x $0.5", 0.75)


def test_amounts() -> None:
    assert [money(usd) for usd in (0, 0.004, 0.005, 1234.567)] == ["0.00", "< 0.01", "0.01", "1,234.57"]
    assert total([Item("a", "", 1.5), Item("b", "", 2.25)]) == 3.75


def test_templates_are_counted() -> None:
    def resources(**kinds: Any) -> Any:
        return {
            "Resources": {
                name: {"Type": kind, "Properties": properties} for name, (kind, properties) in kinds.items()
            }
        }

    alarm, policy = "AWS::CloudWatch::Alarm", "AWS::ApplicationAutoScaling::ScalingPolicy"
    stat = {"MetricStat": {}}
    first = resources(
        Plain=(alarm, {"MetricName": "Errors"}),
        Ratio=(alarm, {"Metrics": [{"Expression": "a / b"}, stat, stat]}),
        Follow=(policy, {"PolicyType": "TargetTrackingScaling"}),
        Step=(policy, {"PolicyType": "StepScaling"}),
        Key=("AWS::KMS::Key", {}),
        Gateway=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}),
    )
    second = resources(
        Door=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
        Acl=("AWS::WAFv2::WebACL", {"Rules": [{}, {}, {}]}),
        Board=("AWS::CloudWatch::Dashboard", {}),
        Poll=("AWS::Lambda::EventSourceMapping", {}),
        Bucket=("AWS::S3::Bucket", {}),
    )
    assert Inventory.of([first, second, {}]) == Inventory(
        alarm_metrics=5, dashboards=1, keys=1, polled_queues=1, web_acls=1, web_acl_rules=3, endpoint_zones=2
    )
