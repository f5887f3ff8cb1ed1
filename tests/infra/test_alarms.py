"""Alarms, who is told of them, and the runbook."""

import json
import re
from typing import Any

from contract import metrics
from tests.conftest import ROOT
from tests.infra.conftest import Templates, only, text

ALARM = "AWS::CloudWatch::Alarm"
RUNBOOK = ROOT / "docs" / "operations.md"


def alarms(templates: Templates) -> dict[str, list[Any]]:
    """Those that call somebody, by their entry in the runbook."""
    found: dict[str, list[Any]] = {}
    for template in templates.all():
        for resource in template.find_resources(ALARM).values():
            description = resource["Properties"]["AlarmDescription"]
            if not description.startswith("scaling: "):
                match = re.search(r"See docs/operations\.md#([a-z-]+)$", description)
                assert match, description
                found.setdefault(match[1], []).append(resource["Properties"])
    return found


def test_every_alarm_has_its_entry_in_the_runbook_and_every_entry_its_alarm(
    small: Templates, large: Templates
) -> None:
    section = RUNBOOK.read_text().partition("## Alarms")[2].partition("\n## ")[0]
    entries = re.findall(r"^### (.+)$", section, re.MULTILINE)
    assert sorted(alarms(small)) == sorted(alarms(large)) == sorted(entries)
    for entry in section.split("\n### ")[1:]:
        assert [part in entry for part in ("**What it says.**", "**Look at.**", "**Do.**")] == [True] * 3


def test_every_alarm_is_critical_or_a_warning_and_silent_without_data(small: Templates) -> None:
    for owned in alarms(small).values():
        for alarm in owned:
            assert alarm["AlarmDescription"].partition(":")[0] in {"critical", "warning"}
            assert alarm["TreatMissingData"] == "notBreaching"


def test_each_endpoint_has_its_own(large: Templates) -> None:
    for entry in ("backlog-age", "wake-up-slow", "gpu-memory"):
        assert len(alarms(large)[entry]) == 2


def test_thresholds_are_the_configurations(large: Templates) -> None:
    found = alarms(large)
    assert {each["Threshold"] for each in found["backlog-age"]} == {77}
    assert {each["EvaluationPeriods"] for each in found["wake-up-slow"]} == {5}
    assert {each["Threshold"] for each in found["gpu-memory"]} == {88}


def test_alarms_and_their_ends_are_told_to_topic_and_email(small: Templates, large: Templates) -> None:
    (subscription,) = large.storage.find_resources(
        "AWS::SNS::Subscription", {"Properties": {"Protocol": "email"}}
    ).values()
    assert subscription["Properties"]["Endpoint"] == "oncall@example.com"
    for owned in alarms(large).values():
        for alarm in owned:
            assert alarm["AlarmActions"] == alarm["OKActions"]
            assert len(alarm["AlarmActions"]) == 2
            assert "arn:aws:sns:us-east-1:123456789012:pager" in alarm["AlarmActions"]
    assert not any("AlarmActions" in alarm for owned in alarms(small).values() for alarm in owned)


def test_the_dashboard_shows_each_endpoints_queue_instances_gpu_and_times(large: Templates) -> None:
    body = text(only(large.by_stack["Dashboard"], "AWS::CloudWatch::Dashboard")["DashboardBody"])
    for model in ("first", "second"):
        name = only(large.endpoints[model], "AWS::SageMaker::Endpoint")["EndpointName"]
        assert name in body
    for metric in (
        "ApproximateBacklogSize",
        "TimeInBacklog",
        "CPUUtilization",
        "GPUUtilization",
        "GPUMemoryUtilization",
        metrics.DENOISE_SECONDS,
        metrics.IMAGES,
        metrics.FAILURES,
    ):
        assert metric in body
    assert metrics.NAMESPACE in body
    assert "USD an hour" in body


def test_the_dashboard_shows_every_model_by_itself(large: Templates) -> None:
    parts = only(large.by_stack["Dashboard"], "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    graphs = [widget["properties"].get("metrics", []) for widget in body["widgets"]]
    for name in (metrics.DENOISE_SECONDS, metrics.IMAGES, metrics.FAILURES):
        shown = [line[:6] for graph in graphs for line in graph if line[:2] == [metrics.NAMESPACE, name]]
        assert sorted(line[2:6] for line in shown) == [
            ["Model", served, "Stage", "test"] for served in ("anime", "first", "photo", "second")
        ]
