from typing import Any

import pytest

from infra.config import DeploymentConfig
from infra.prices import Prices, UnknownInstanceTypeError
from operations.cost.assumptions import Assumptions
from operations.cost.estimate import Estimate
from operations.cost.inventory import Inventory
from tests.operations.configs import model, stage


def table(sections: Any, title: str) -> list[dict[str, str]]:
    [found] = [section.table for section in sections if section.title.startswith(title)]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def estimate(config: DeploymentConfig, prices: Prices, assumptions: Assumptions, **settings: Any) -> Estimate:
    return Estimate(config, Inventory(), prices, assumptions, **({"images": (9_000,)} | settings))


def test_every_instance_type_with_a_published_speed_has_a_row(
    prices: Prices, assumptions: Assumptions
) -> None:
    sections = list(estimate(stage(web=None), prices, assumptions).sections())
    rows = table(sections, "Stable Diffusion 1.5")
    assert [row["instance type"] for row in rows] == ["ml.g5.xlarge", "ml.g5.2xlarge"]
    total = table(sections, "Services for 9,000 images of Stable Diffusion 1.5")[-1]["USD"]
    services = float(total.replace(",", ""))
    # 20 steps at 5 a second; 10 hours, and 30 sessions x 1,200 s, at 3.60 an hour
    assert rows[0]["s/image"] == "4.00"
    assert rows[0]["9,000 images"] == f"36.00 + 36.00 + {services:,.2f} = {72 + services:,.2f}"
    assert float(rows[0]["per image of 9,000"]) == pytest.approx((72 + services) / 9_000, abs=1e-5)


def test_each_model_of_the_stage_has_a_row_for_each_of_its_types_with_its_own_size_and_steps(
    prices: Prices, assumptions: Assumptions
) -> None:
    models = [
        model(
            "one",
            defaults={"width": 512, "height": 768, "steps": 40},
            instance_types=["ml.g5.xlarge", "ml.g6.xlarge"],
            scaling={"idle_tail_s": 600},
        ),
        model("two", defaults={"width": 1024, "height": 1024}, limits={"max_size": 1536}),
    ]
    sections = list(estimate(stage(models=models), prices, assumptions).sections())
    known, unknown = table(sections, "Model one, 512x768, 40 steps")
    assert (known["instance type"], unknown["instance type"]) == ("ml.g5.xlarge", "ml.g6.xlarge")
    # 40 steps at 5 a second, with half as many pixels again; 30 sessions x 900 s at 3.60 an hour
    assert known["s/image"] == "12.00"
    assert known["9,000 images"].startswith("108.00 + ")
    assert (unknown["s/image"], unknown["9,000 images"]) == ("unknown", "")
    [of_one] = [each for each in sections if each.title.startswith("Model one")]
    assert "None is published for L4" in of_one.paragraphs[-1]
    assert [row["s/image"] for row in table(sections, "Model two, 1024x1024, 30 steps")] == ["unknown"]


def test_gpus_without_a_published_speed_are_listed(prices: Prices, assumptions: Assumptions) -> None:
    [section] = [
        each
        for each in estimate(stage(), prices, assumptions).sections()
        if each.title.startswith("Stable Diffusion XL")
    ]
    assert section.table is not None
    assert section.table.rows == ()
    assert all(gpu in section.paragraphs[0] for gpu in ("T4", "A10G", "L4", "L40S", "A100", "H100"))


def test_measured_seconds_are_used_for_the_instance_types_of_the_stage(
    prices: Prices, assumptions: Assumptions
) -> None:
    config = stage(models=[model(instance_types=["ml.g6.xlarge", "ml.g5.xlarge"])])
    sections = list(estimate(config, prices, assumptions, measured_s=4.0).sections())
    rows = table(sections, "Model demo, measured 4 s per image")
    assert [row["instance type"] for row in rows] == ["ml.g6.xlarge", "ml.g5.xlarge"]
    assert all(row["9,000 images"].startswith("36.00 + 36.00 + ") for row in rows)
    assert not [each for each in sections if each.title.endswith("Stable Diffusion XL")]


def test_of_several_gpus_one_is_used(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(models=[model(instance_types=["ml.p5.48xlarge"])])
    [row] = table(estimate(config, prices, assumptions, measured_s=1.0).sections(), "Model demo")
    assert row["GPU"] == "H100, 1 of 8 used"


def test_scheduled_minimums_are_listed_as_not_included(prices: Prices, assumptions: Assumptions) -> None:
    minimum = {"cron": "cron(0 8 ? * MON-FRI *)", "min_instances": 1}
    config = stage(models=[model("office", scaling={"scheduled_minimums": [minimum]})])
    [idle] = [
        each
        for each in estimate(config, prices, assumptions).sections()
        if each.title == "Monthly cost without jobs"
    ]
    assert "scheduled minimums of office" in idle.paragraphs[-1]


def test_an_instance_type_without_a_price_is_rejected(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(models=[model(instance_types=["ml.g5.16xlarge"])])
    with pytest.raises(UnknownInstanceTypeError, match=r"no price for ml\.g5\.16xlarge"):
        list(estimate(config, prices, assumptions).sections())


def test_the_number_of_unchecked_prices_is_reported(prices: Prices, assumptions: Assumptions) -> None:
    introduction = next(estimate(stage(), prices, assumptions).sections())
    number = len(prices.instances) + len(prices.services.all())
    assert f"{number} of the {number} prices in infra/prices.toml" in introduction.paragraphs[0]
