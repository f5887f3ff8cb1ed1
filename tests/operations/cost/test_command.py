import pytest

from infra.config import InvalidConfigurationError
from operations.cost import command
from operations.cost.estimate import Estimate
from operations.cost.line_item import format_usd


@pytest.fixture(scope="module")
def dev() -> Estimate:
    return command.create_estimate("dev")


def test_the_committed_stage_has_alarms_a_dashboard_and_queues(dev: Estimate) -> None:
    assert dev.inventory.alarm_metrics > 0
    assert (dev.inventory.dashboards, dev.inventory.polled_queues) == (1, 2)


def test_the_first_row_of_the_committed_stage(dev: Estimate) -> None:
    (table,) = (each.table for each in dev.sections() if each.title.startswith("Stable Diffusion 1.5"))
    assert table is not None
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["instance type"] == "ml.g4dn.xlarge"
    generation = 1_000 * (20 / 7) / 3_600 * 0.7364
    start_and_idle = 2 * 30 * (350 + dev.config.models[0].scaling.idle_tail_s) / 3_600 * 0.7364
    assert row["s/image"] == "2.86"
    assert row["1,000 images"].startswith(f"{format_usd(generation)} + {format_usd(start_and_idle)} + ")


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_instance_type_of_a_committed_stage_has_a_row_with_the_stages_steps(stage: str) -> None:
    estimate = command.create_estimate(stage)
    for model in estimate.config.models:
        (section,) = (each for each in estimate.sections() if each.title.startswith(f"Model {model.name},"))
        assert section.title.endswith(f", {model.defaults.steps} steps")
        assert section.table is not None
        assert [row[0] for row in section.table.rows] == list(model.instance_types)


def test_an_unknown_stage_is_rejected() -> None:
    with pytest.raises(InvalidConfigurationError, match="no stage 'nope'; its stages are: dev, prod"):
        command.create_estimate("nope")


def test_the_page_names_every_section_of_the_estimate_and_the_sources(dev: Estimate) -> None:
    page = command.document(dev)
    for section in dev.sections():
        assert f"## {section.title}\n" in page
    assert "## Sources of the prices\n" in page
