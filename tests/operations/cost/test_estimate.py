"""The arithmetic, against sums done by hand with round figures."""

import sys
import tomllib
from typing import Any

import pytest
from rich.console import Console

from infra.config import DeploymentConfig
from infra.prices import PRICES, Prices, UnknownInstanceTypeError
from operations import __main__ as commands
from operations.cost import command
from operations.cost.assumptions import ASSUMPTIONS, Assumptions
from operations.cost.drawing import Drawing
from operations.cost.estimate import Estimate
from operations.cost.idle import idle_items
from operations.cost.inventory import Inventory
from operations.cost.item import money
from operations.cost.services import service_items
from operations.cost.tables import Section, Table, markdown, show
from tests.conftest import ROOT
from tests.operations.conftest import model, stage


@pytest.fixture(scope="module")
def prices() -> Prices:
    """Round ones: an hour of any instance 3.60, anything else 2 for 1,000 or for one."""
    document: dict[str, Any] = tomllib.loads(PRICES.read_text())
    for instance in document["instances"].values():
        instance["usd_per_hour"] = 3.60
    for service in document["services"].values():
        service.update(usd=2.0, per=1_000 if service["per"] > 1 else 1)
    return Prices.model_validate(document)


@pytest.fixture(scope="module")
def assumptions() -> Assumptions:
    document: dict[str, Any] = tomllib.loads(ASSUMPTIONS.read_text())
    document["use"] = {
        "days_a_month": 30,
        "hours_a_month": 700,
        "sessions_a_day": 1,
        "session_hours": 2,
        "start_up_s": 300,
    }
    document["idle"] = {"pollers": 2, "poll_s": 10, "image_gb": 4}
    document["job"] = {
        "polls": 4,
        "function_s": 0.5,
        "function_gb": 2,
        "table_writes": 3,
        "table_reads": 1,
        "record_kb": 10,
        "bucket_puts": 6,
        "bucket_gets": 7,
        "notices": 1,
        "queue_requests": 3,
        "log_kb": 20,
        "container_metrics": 9,
        "downloads": 2,
    }
    document["families"]["sd15"] |= {"steps": 20, "image_mb": 0.5, "weights_gb": 2}
    document["families"]["sdxl"] |= {"steps": 30, "image_mb": 2, "weights_gb": 7}
    document["speeds"] = [{"family": "sd15", "gpu": "A10G", "steps_per_s": 5, "source": "a table"}]
    return Assumptions.model_validate(document)


def drawing(images: int, assumptions: Assumptions, *, tail: int = 900) -> Drawing:
    return Drawing(images, seconds=4, usd_per_hour=3.60, idle_tail_s=tail, use=assumptions.use)


def test_drawing_is_images_times_seconds_times_the_price(assumptions: Assumptions) -> None:
    # 9,000 x 4 s = 36,000 s = 10 h, at 3.60 an hour
    assert drawing(9_000, assumptions).drawing_usd == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("images", "sessions", "instances", "usd"),
    [
        (0, 0, 0, 0.0),
        (10, 10, 1, 12.0),  # fewer images than sessions: each its own; 10 x 1,200 s x 0.001
        (9_000, 30, 1, 36.0),  # 10 h in 30 sessions of 2 h; 30 x 1,200 s x 0.001
        (54_000, 30, 1, 36.0),  # 60 h: just enough for one instance
        (54_001, 30, 2, 72.0),
        (1_000_000, 30, 19, 684.0),  # 1,111.1 h / 60 h = 18.5
    ],
)
def test_each_session_wakes_as_many_instances_as_it_needs(
    assumptions: Assumptions, images: int, sessions: int, instances: int, usd: float
) -> None:
    counted = drawing(images, assumptions)
    assert (counted.sessions, counted.instances) == (sessions, instances)
    assert counted.wake_ups_usd == pytest.approx(usd)


def test_a_longer_tail_costs_more(assumptions: Assumptions) -> None:
    # 30 sessions x 2,400 s more x 0.001 a second
    longer = drawing(9_000, assumptions, tail=3_300).wake_ups_usd - drawing(9_000, assumptions).wake_ups_usd
    assert longer == pytest.approx(72.0)


def amounts(items: Any) -> list[float]:
    return [round(item.usd, 6) for item in items]


def test_services_of_1_000_images(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(retention_days=60, log_retention_days=90, tracing=False)
    items = service_items(1_000, assumptions.families["sd15"], config, prices, assumptions)
    assert amounts(items) == [
        10.0,  # 5,000 requests
        12.0,  # 6,000 invocations
        12.0,  # 6,000 x 0.5 s x 2 GB
        6.0,  # 3,000 writes
        10.0,  # 1,000 x (1 + 4) reads
        0.04,  # 0.01 GB for 2 months
        0.04,
        12.0,  # 6,000 PUT
        14.0,  # 7,000 GET
        2.0,  # 0.5 GB for 2 months
        2.0,  # 1,000 notices
        6.0,  # 3,000 queue requests
        0.04,  # 0.02 GB of logs
        0.12,  # for 3 months
        18.0,  # 9 metrics
        2.0,  # 0.5 GB, downloaded twice
    ]


def test_tracing_and_the_firewall_add_their_lines(prices: Prices, assumptions: Assumptions) -> None:
    family = assumptions.families["sd15"]
    plain = service_items(1_000, family, stage(tracing=False), prices, assumptions)
    config = stage(api={"firewall_requests_per_5_minutes": 100})
    more = service_items(1_000, family, config, prices, assumptions)
    assert more[: len(plain)] == plain
    assert [(item.name, item.usd) for item in more[len(plain) :]] == [("X-Ray", 12.0), ("WAF", 10.0)]


def test_a_month_without_use(prices: Prices, assumptions: Assumptions) -> None:
    hub = {
        "type": "huggingface",
        "id": "ada/drawing",
        "revision": "0" * 40,
        "token_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf",
    }
    config = stage(
        models=[
            model("one", scaling={"min_instances": 2, "max_instances": 3}),
            model("two", defaults={"width": 1024, "height": 1024}, companions=[{"name": "beside"}]),
            model("three", source=hub),
        ]
    )
    inventory = Inventory(
        alarm_metrics=7, dashboards=1, keys=1, polled_queues=1, web_acls=1, web_acl_rules=3, endpoint_zones=2
    )
    items = idle_items(config, inventory, prices, assumptions)
    assert amounts(items) == [
        5_040.0,  # 2 instances x 700 h x 3.60
        0.0,
        0.0,
        22.0,  # weights of 2 and 7 GB, and 2 of the companion; the third lies on the hub
        8.0,  # an image of 4 GB
        2.0,  # a secret
        14.0,  # 7 alarms
        2.0,  # a dashboard
        1_008.0,  # 2 pollers x 700 h x 360 an hour = 504,000 requests
        2.0,  # a key
        2.0,  # a web ACL
        6.0,  # 3 rules
        2_800.0,  # 2 endpoints x 700 h
        0.0,
    ]


def test_what_a_stage_does_not_have_has_no_line(prices: Prices, assumptions: Assumptions) -> None:
    names = {item.name for item in idle_items(stage(), Inventory(), prices, assumptions)}
    assert names == {
        "SageMaker, demo on ml.g5.xlarge",
        "S3 Standard",
        "ECR",
        "API Gateway, Lambda, DynamoDB on demand, SNS, X-Ray",
    }


def table(sections: Any, title: str) -> list[dict[str, str]]:
    [found] = [section.table for section in sections if section.title.startswith(title)]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def estimate(config: DeploymentConfig, prices: Prices, assumptions: Assumptions, **more: Any) -> Estimate:
    return Estimate(config, Inventory(), prices, assumptions, **({"images": (9_000,)} | more))


def test_published_speeds_make_a_row_for_each_instance_type_with_such_a_gpu(
    prices: Prices, assumptions: Assumptions
) -> None:
    sections = list(estimate(stage(), prices, assumptions).sections())
    rows = table(sections, "Stable Diffusion 1.5")
    assert [row["instance type"] for row in rows] == ["ml.g5.xlarge", "ml.g5.2xlarge"]
    services = float(table(sections, "Services for 9,000 images of Stable Diffusion 1.5")[-1]["USD"])
    # 20 steps at 5 a second; 10 hours, and 30 sessions x 1,200 s, at 3.60 an hour
    assert rows[0]["s an image"] == "4.00"
    assert rows[0]["9,000 images"] == f"36.00 + 36.00 + {services:.2f} = {72 + services:.2f}"
    assert float(rows[0]["each of 9,000"]) == pytest.approx((72 + services) / 9_000, abs=1e-5)


def test_gpus_without_a_published_speed_are_named_and_not_guessed(
    prices: Prices, assumptions: Assumptions
) -> None:
    [section] = [
        each
        for each in estimate(stage(), prices, assumptions).sections()
        if each.title.startswith("Stable Diffusion XL")
    ]
    assert section.table is not None
    assert section.table.rows == ()
    assert all(gpu in section.paragraphs[0] for gpu in ("T4", "A10G", "L4", "L40S", "A100", "H100"))


def test_measured_seconds_are_counted_for_the_stages_own_types(
    prices: Prices, assumptions: Assumptions
) -> None:
    config = stage(models=[model(instance_types=["ml.g6.xlarge", "ml.g5.xlarge"])])
    sections = list(estimate(config, prices, assumptions, measured_s=4.0).sections())
    rows = table(sections, "Model demo, 4 s an image as measured")
    assert [row["instance type"] for row in rows] == ["ml.g6.xlarge", "ml.g5.xlarge"]
    assert all(row["9,000 images"].startswith("36.00 + 36.00 + ") for row in rows)
    assert not [each for each in sections if each.title.endswith("Stable Diffusion XL")]


def test_a_machine_with_several_gpus_says_that_one_draws(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(models=[model(instance_types=["ml.p5.48xlarge"])])
    [row] = table(estimate(config, prices, assumptions, measured_s=1.0).sections(), "Model demo")
    assert row["GPU"] == "H100, 1 of 8"


def test_scheduled_minimums_are_said_to_be_left_out(prices: Prices, assumptions: Assumptions) -> None:
    minimum = {"cron": "cron(0 8 ? * MON-FRI *)", "min_instances": 1}
    config = stage(models=[model("office", scaling={"scheduled_minimums": [minimum]})])
    [idle] = [
        each
        for each in estimate(config, prices, assumptions).sections()
        if each.title == "A month without use"
    ]
    assert "scheduled minimums, of office" in idle.paragraphs[-1]


def test_a_stage_with_an_unpriced_instance_type_is_refused(prices: Prices, assumptions: Assumptions) -> None:
    config = stage(models=[model(instance_types=["ml.g5.16xlarge"])])
    with pytest.raises(UnknownInstanceTypeError, match=r"no price for ml\.g5\.16xlarge"):
        list(estimate(config, prices, assumptions).sections())


def test_the_number_of_unchecked_prices_is_said(prices: Prices, assumptions: Assumptions) -> None:
    introduction = next(estimate(stage(), prices, assumptions).sections())
    number = len(prices.instances) + len(prices.services.all())
    assert f"{number} were never checked against AWS's price pages" in introduction.paragraphs[0]


SECTION = Section(
    "Bill", ("Two lines.",), Table(("item", "USD"), (("a [b]", "1.00"), ("c", "12.00")), frozenset({"USD"}))
)


def test_console_and_document_have_the_same_rows() -> None:
    console = Console(width=60, record=True)
    show([SECTION], console)
    shown = [line.split() for line in console.export_text().splitlines()]
    assert ["a", "[b]", "│", "1.00"] in shown
    heading = "# Costs\n\n## Bill\n\nTwo lines.\n\n"
    assert markdown("Costs", [SECTION]) == (
        f"{heading}| item | USD |\n| --- | ---: |\n| a [b] | 1.00 |\n| c | 12.00 |\n"
    )


@pytest.fixture(scope="module")
def dev() -> Estimate:
    return command.create_estimate("dev")


def test_the_document_is_what_would_be_written_today(dev: Estimate) -> None:
    assert (ROOT / "docs" / "cost.md").read_text() == command.document(dev), (
        "write it anew: .venv/bin/python -m operations cost --markdown > docs/cost.md"
    )


def test_the_real_stage_has_alarms_a_dashboard_and_a_queue(dev: Estimate) -> None:
    assert dev.inventory.alarm_metrics > 0
    assert (dev.inventory.dashboards, dev.inventory.polled_queues) == (1, 1)


def test_the_first_real_row_by_hand(dev: Estimate) -> None:
    [row] = [
        each
        for each in table(dev.sections(), "Stable Diffusion 1.5")
        if each["instance type"] == "ml.g4dn.xlarge"
    ]
    drawn = 1_000 * (20 / 7) / 3_600 * 0.7364
    woken = 2 * 30 * (350 + dev.config.models[0].scaling.idle_tail_s) / 3_600 * 0.7364
    assert row["s an image"] == "2.86"
    assert row["1,000 images"].startswith(f"{money(drawn)} + {money(woken)} + ")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["operations", "cost", *arguments])
    return commands.main()


def test_the_command_prints_one_number_of_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(monkeypatch, "--images", "5000", "--seconds", "2.5") == 0
    printed = capsys.readouterr().out
    assert "2.5 s an image as measured" in printed
    assert "5,000 images" in printed
    assert "1,000,000 images" not in printed


def test_the_command_says_what_is_wrong_with_the_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--stage", "nowhere") == 1
    assert "error: cdk.json has no stage 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("--images", "0"), ("--seconds", "0"), ("--seconds", "nan"), ("--images", "x")]
)
def test_options_must_make_sense(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as raised:
        run(monkeypatch, *arguments)
    assert raised.value.code == 2
    assert arguments[0] in capsys.readouterr().err
