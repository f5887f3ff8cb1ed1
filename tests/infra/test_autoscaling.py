import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.infra.conftest import Templates, only, text

POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


def policies(template: Template) -> dict[str, Any]:
    """The scaling policies by their names in `BacklogScaling`."""
    names = ("Backlog", "Wake", "Shrink", "Rest")
    return {
        next(name for name in names if name in key): {"id": key, **each["Properties"]}
        for key, each in template.find_resources(POLICY).items()
    }


def alarm_of(template: Template, policy_id: str) -> Any:
    (found,) = (
        each["Properties"]
        for each in template.find_resources("AWS::CloudWatch::Alarm").values()
        if each["Properties"].get("AlarmActions") == [{"Ref": policy_id}]
    )
    return found


def dimension_values(template: Template) -> Any:
    return [{"Name": "EndpointName", "Value": only(template, "AWS::SageMaker::Endpoint")["EndpointName"]}]


def test_there_are_four_policies_on_one_target(small: Templates) -> None:
    template = small.endpoints["demo"]
    (target,) = template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget")
    found = policies(template)
    assert set(found) == {"Backlog", "Wake", "Shrink", "Rest"}
    assert all(each["ScalingTargetId"] == {"Ref": target} for each in found.values())


def test_target_tracking_follows_the_backlog_per_instance_and_only_adds_instances(large: Templates) -> None:
    template = large.endpoints["first"]
    policy = policies(template)["Backlog"]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 2.5,
        "ScaleOutCooldown": 22,
        "DisableScaleIn": True,
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Statistic": "Average",
            "Dimensions": dimension_values(template),
        },
    }


def step_scaling(adjustment_type: str, adjustment: int, cooldown_s: int) -> dict[str, Any]:
    return {
        "AdjustmentType": adjustment_type,
        "Cooldown": cooldown_s,
        "MetricAggregationType": "Maximum",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": adjustment}],
    }


def test_the_steps_and_cooldowns_of_all_step_scaling_policies(small: Templates, large: Templates) -> None:
    for template, out_s, in_s, minimum in (
        (small.endpoints["demo"], 60, 300, 0),
        (large.endpoints["first"], 22, 11, 2),
    ):
        found = {
            name: policy["StepScalingPolicyConfiguration"]
            for name, policy in policies(template).items()
            if policy["PolicyType"] == "StepScaling"
        }
        assert found == {
            "Wake": step_scaling("ExactCapacity", 1, out_s),
            "Shrink": step_scaling("ChangeInCapacity", -1, in_s),
            "Rest": step_scaling("ExactCapacity", minimum, in_s),
        }


def test_each_step_scaling_policy_has_its_own_alarm(small: Templates) -> None:
    template = small.endpoints["demo"]
    found = policies(template)
    assert alarm_of(template, found["Wake"]["id"])["MetricName"] == "HasBacklogWithoutCapacity"
    _, shrink = metrics_of(alarm_of(template, found["Shrink"]["id"]))
    _, rest = metrics_of(alarm_of(template, found["Rest"]["id"]))
    assert "all / each" in shrink
    assert evaluate(rest, {"all": 0}) == 1
    assert evaluate(rest, {"all": 1}) == 0


@pytest.mark.parametrize(
    ("instances", "backlog", "removed"),
    [
        (2, 0, False),  # an empty backlog: the policy Rest applies instead
        (1, 1, False),  # the last instance is never removed while there is a backlog
        (1, 0.1, False),
        (2, 1, True),
        (2, 2.2, True),
        (2, 2.5, False),  # the remaining instance would be at the target
        (4, 6.7, True),
        (4, 7, False),
    ],
)
def test_an_instance_is_removed_when_the_others_can_handle_the_backlog(
    large: Templates, instances: int, backlog: float, removed: bool
) -> None:
    """The target is 2.5 requests per instance."""
    template = large.endpoints["first"]
    policy = policies(template)["Shrink"]
    metric, expression = metrics_of(alarm_of(template, policy["id"]))
    assert {name: each["MetricName"] for name, each in metric.items()} == {
        "all": "ApproximateBacklogSize",
        "each": "ApproximateBacklogSizePerInstance",
    }
    assert evaluate(expression, {"all": backlog, "each": backlog / instances}) == int(removed)


def metrics_of(alarm: Any) -> tuple[dict[str, Any], str]:
    metrics = {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}
    (expression,) = (each["Expression"] for each in alarm["Metrics"] if "Expression" in each)
    return metrics, expression


def evaluate(expression: str, values: dict[str, float]) -> Any:
    """Evaluates a CloudWatch expression IF(condition, 1, 0) with numbers in place of the metrics."""
    condition = re.fullmatch(r"IF\((.*), 1, 0\)", expression)
    assert condition
    python = condition[1].replace("AND", "and")
    return int(bool(eval(python, {"__builtins__": {}}, values)))  # noqa: S307 - from the template under test


def test_the_minimum_and_the_maximum_number_of_instances(small: Templates, large: Templates) -> None:
    for template, least, most in ((small.endpoints["demo"], 0, 1), (large.endpoints["first"], 2, 6)):
        target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
        assert (target["MinCapacity"], target["MaxCapacity"]) == (least, most)
        assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
        parts = target["ResourceId"]["Fn::Join"][1]
        assert (parts[0], parts[-1]) == ("endpoint/", "/variant/primary")
        assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint" in text(target["RoleARN"])


def test_the_scaling_target_is_deleted_before_its_endpoint(small: Templates) -> None:
    """CloudFormation deletes a resource before the resources that it references."""
    template = small.endpoints["demo"]
    (endpoint,) = template.find_resources("AWS::SageMaker::Endpoint")
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert {"Fn::GetAtt": [endpoint, "EndpointName"]} in target["ResourceId"]["Fn::Join"][1]


def test_scheduled_minimums(large: Templates) -> None:
    target = only(large.endpoints["first"], "AWS::ApplicationAutoScaling::ScalableTarget")
    (action,) = target["ScheduledActions"]
    assert action["ScalableTargetAction"] == {"MinCapacity": 3}
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin")
