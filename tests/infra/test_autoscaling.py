import re
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tests.infra.conftest import Templates, only, text

POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


def policies(template: Template) -> dict[str, Any]:
    """By the rule's name."""
    rules = ("Backlog", "Wake", "Shrink", "Rest")
    return {
        next(rule for rule in rules if rule in key): {"id": key, **each["Properties"]}
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


def test_tracking_follows_the_backlog_per_instance_and_only_adds(large: Templates) -> None:
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


def test_a_backlog_without_capacity_wakes_the_endpoint(small: Templates) -> None:
    template = small.endpoints["demo"]
    policy = policies(template)["Wake"]
    steps = policy["StepScalingPolicyConfiguration"]
    assert policy["PolicyType"] == "StepScaling"
    assert steps["AdjustmentType"] == "ExactCapacity"
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    alarm = alarm_of(template, policy["id"])
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", "HasBacklogWithoutCapacity")
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Maximum", 60, 1)
    assert alarm["Dimensions"] == dimension_values(template)
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def test_an_endpoint_that_has_been_idle_for_the_tail_goes_to_its_minimum(
    small: Templates, large: Templates
) -> None:
    for template, minutes, least in ((small.endpoints["demo"], 15, 0), (large.endpoints["first"], 4, 2)):
        policy = policies(template)["Rest"]
        steps = policy["StepScalingPolicyConfiguration"]
        assert steps["AdjustmentType"] == "ExactCapacity"
        assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": least}]
        alarm = alarm_of(template, policy["id"])
        assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (minutes, 1)
        metric, expression = metrics_of(alarm)
        assert metric["all"]["MetricName"] == "ApproximateBacklogSize"
        assert metric["all"]["Dimensions"] == dimension_values(template)
        assert evaluate(expression, {"all": 0}) == 1
        assert evaluate(expression, {"all": 1}) == 0


@pytest.mark.parametrize(
    ("instances", "backlog", "goes"),
    [
        (2, 0, False),  # nothing at all to do: the endpoint goes to rest instead
        (1, 1, False),  # the last instance never goes while there is work
        (1, 0.1, False),
        (2, 1, True),
        (2, 2.2, True),
        (2, 2.5, False),  # one instance would be full at once
        (4, 6.7, True),
        (4, 7, False),
    ],
)
def test_an_instance_goes_when_the_others_have_room_for_its_work(
    large: Templates, instances: int, backlog: float, goes: bool
) -> None:
    """The target is 2.5 requests an instance."""
    template = large.endpoints["first"]
    policy = policies(template)["Shrink"]
    steps = policy["StepScalingPolicyConfiguration"]
    assert (steps["AdjustmentType"], steps["Cooldown"]) == ("ChangeInCapacity", 11)
    assert steps["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": -1}]
    metric, expression = metrics_of(alarm_of(template, policy["id"]))
    assert {name: each["MetricName"] for name, each in metric.items()} == {
        "all": "ApproximateBacklogSize",
        "each": "ApproximateBacklogSizePerInstance",
    }
    assert evaluate(expression, {"all": backlog, "each": backlog / instances}) == int(goes)


def metrics_of(alarm: Any) -> tuple[dict[str, Any], str]:
    metrics = {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}
    (expression,) = (each["Expression"] for each in alarm["Metrics"] if "Expression" in each)
    return metrics, expression


def evaluate(expression: str, values: dict[str, float]) -> Any:
    """A CloudWatch expression of the kind IF(condition, 1, 0), with numbers in place of the metrics."""
    condition = re.fullmatch(r"IF\((.*), 1, 0\)", expression)
    assert condition
    words = condition[1].replace("AND", "and")
    return int(bool(eval(words, {"__builtins__": {}}, values)))  # noqa: S307 - our own template


def test_scaling_goes_from_the_least_to_the_most_instances(small: Templates, large: Templates) -> None:
    for template, least, most in ((small.endpoints["demo"], 0, 1), (large.endpoints["first"], 2, 6)):
        target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
        assert (target["MinCapacity"], target["MaxCapacity"]) == (least, most)
        assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
        parts = target["ResourceId"]["Fn::Join"][1]
        assert (parts[0], parts[-1]) == ("endpoint/", "/variant/primary")
        assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint" in text(target["RoleARN"])


def test_the_target_goes_before_its_endpoint_does(small: Templates) -> None:
    """CloudFormation deletes what refers before what is referred to."""
    template = small.endpoints["demo"]
    (endpoint,) = template.find_resources("AWS::SageMaker::Endpoint")
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert {"Fn::GetAtt": [endpoint, "EndpointName"]} in target["ResourceId"]["Fn::Join"][1]


def test_minimums_by_the_clock(large: Templates) -> None:
    target = only(large.endpoints["first"], "AWS::ApplicationAutoScaling::ScalableTarget")
    (action,) = target["ScheduledActions"]
    assert action["ScalableTargetAction"] == {"MinCapacity": 3}
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin")
