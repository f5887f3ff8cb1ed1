import ast
import operator as operators
from math import ceil
from typing import Any

import pytest
from aws_cdk.assertions import Template
from hypothesis import given
from hypothesis import strategies as st

from infra.autoscaling import instances_by_backlog
from infra.config.model import ScalingConfig
from tests.infra.conftest import Templates, only, synthesize, text
from tests.infra.endpoints import model

POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


def policies(template: Template) -> dict[str, Any]:
    """The scaling policies by their names in `BacklogScaling`."""
    names = ("Backlog", "Wake", "Shrink", "Rest", "Trim")
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


def test_all_policies_scale_one_target(small: Templates) -> None:
    template = small.endpoints["demo"]
    (target,) = template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget")
    found = policies(template)
    assert set(found) == {"Backlog", "Wake", "Shrink", "Rest", "Trim"}
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


def test_the_steps_and_cooldowns_of_scale_in(small: Templates, large: Templates) -> None:
    for template, cooldown_s, minimum in (
        (small.endpoints["demo"], 300, 0),
        (large.endpoints["first"], 11, 2),
    ):
        found = policies(template)
        for name, expected in {
            "Shrink": step_scaling("ChangeInCapacity", -1, cooldown_s),
            "Trim": step_scaling("ChangeInCapacity", -1, cooldown_s),
            "Rest": step_scaling("ExactCapacity", minimum, cooldown_s),
        }.items():
            assert found[name]["StepScalingPolicyConfiguration"] == expected


def instances_started(policy: Any, value: float) -> int:
    """The instances that the policy sets when its alarm's metric, whose threshold is 1, has this value."""
    configuration = policy["StepScalingPolicyConfiguration"]
    assert configuration["AdjustmentType"] == "ExactCapacity"
    (step,) = (
        each
        for each in configuration["StepAdjustments"]
        if each["MetricIntervalLowerBound"] <= value - 1
        and value - 1 < each.get("MetricIntervalUpperBound", float("inf"))
    )
    return int(step["ScalingAdjustment"])


@pytest.mark.parametrize(
    ("backlog", "instances"), [(1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (12, 5), (13, 6), (15, 6), (1000, 6)]
)
def test_a_burst_starts_the_instances_that_its_backlog_needs(
    large: Templates, backlog: int, instances: int
) -> None:
    """The target is 2.5 requests per instance, the maximum 6 instances."""
    policy = policies(large.endpoints["first"])["Wake"]
    assert instances_started(policy, backlog) == instances
    assert policy["StepScalingPolicyConfiguration"]["Cooldown"] == 22


@given(target=st.floats(0.1, 20), most=st.integers(1, 200), backlog=st.integers(1, 5000))
def test_a_burst_starts_at_least_what_it_needs_within_the_limits(
    target: float, most: int, backlog: int
) -> None:
    scaling = ScalingConfig(target_backlog_per_instance=target, max_instances=most)
    steps = instances_by_backlog(scaling)
    assert next(iter(steps)) == 0
    assert len(steps) <= 20  # Application Auto Scaling's limit
    assert [*steps] == sorted(steps)
    assert [*steps.values()] == sorted(steps.values())
    started = [count for lower, count in steps.items() if lower <= backlog - 1][-1]
    needed = min(most, ceil(backlog / target))
    assert started >= needed
    if most <= 20:
        assert started == needed


def test_the_value_that_decides_about_a_burst(small: Templates) -> None:
    template = small.endpoints["demo"]
    metrics, wake = metrics_of(alarm_of(template, policies(template)["Wake"]["id"]))
    assert {name: each["MetricName"] for name, each in metrics.items()} == {
        "waiting": "HasBacklogWithoutCapacity",
        "all": "ApproximateBacklogSize",
    }
    assert evaluate(wake, {"waiting": 1, "all": 7}) == 7
    assert evaluate(wake, {"waiting": 0, "all": 7}) == 0
    assert evaluate(wake, {"waiting": 1, "all": None}) == 1


@pytest.mark.parametrize("idle", [0, None])
def test_the_endpoint_rests_whether_or_not_metrics_of_an_idle_endpoint_are_published(
    small: Templates, idle: float | None
) -> None:
    template = small.endpoints["demo"]
    alarm = alarm_of(template, policies(template)["Rest"]["id"])
    _, rest = metrics_of(alarm)
    assert evaluate(rest, {"all": idle, "waiting": idle}) == 1
    assert evaluate(rest, {"all": 1, "waiting": idle}) == 0
    assert evaluate(rest, {"all": idle, "waiting": 1}) == 0
    assert alarm["TreatMissingData"] == "breaching"  # no data at all


@pytest.mark.parametrize("idle", [0, None])
def test_one_of_several_idle_instances_is_removed_and_none_that_may_be_working(
    small: Templates, idle: float | None
) -> None:
    template = small.endpoints["demo"]
    alarm = alarm_of(template, policies(template)["Shrink"]["id"])
    _, shrink = metrics_of(alarm)
    assert evaluate(shrink, {"all": idle, "reports": 10}) == 1
    assert evaluate(shrink, {"all": 1, "reports": 10}) == 0
    assert evaluate(shrink, {"all": idle, "reports": 5}) == 0  # one instance
    assert evaluate(shrink, {"all": idle, "reports": idle}) == 0
    statistics = {
        each["Id"]: (each["MetricStat"]["Stat"], each["MetricStat"]["Period"])
        for each in alarm["Metrics"]
        if "MetricStat" in each
    }
    assert statistics == {"all": ("Maximum", 300), "reports": ("SampleCount", 300)}


@pytest.mark.parametrize(
    ("instances", "backlog", "removed"),
    [
        (2, 0, True),
        (1, 1, False),  # the last instance is never removed while there is a backlog
        (1, 0.1, False),
        (2, 1, True),
        (2, 2.2, True),
        (2, 2.5, False),  # the remaining instance would be at the target
        (4, 6.7, True),
        (4, 7, False),
    ],
)
def test_under_load_an_instance_is_removed_when_the_others_could_handle_the_backlog(
    large: Templates, instances: int, backlog: float, removed: bool
) -> None:
    """The target is 2.5 requests per instance."""
    template = large.endpoints["first"]
    alarm = alarm_of(template, policies(template)["Trim"]["id"])
    metric, expression = metrics_of(alarm)
    assert {name: each["MetricName"] for name, each in metric.items()} == {
        "all": "ApproximateBacklogSize",
        "each": "ApproximateBacklogSizePerInstance",
    }
    assert evaluate(expression, {"all": backlog, "each": backlog / instances}) == int(removed)
    assert evaluate(expression, {"all": 1, "each": None}) == 0
    assert evaluate(expression, {"all": None, "each": None}) == 1
    assert alarm["EvaluationPeriods"] == 20


def test_without_a_busy_tail_no_instance_is_removed_under_load() -> None:
    template = synthesize({"models": [model(scaling={"busy_tail_s": 0})]}).endpoints["demo"]
    assert set(policies(template)) == {"Backlog", "Wake", "Shrink", "Rest"}


def test_a_busy_tail_shorter_than_the_delay_of_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match="busy_tail_s must be 0 or at least 180"):
        ScalingConfig(busy_tail_s=120)


def metrics_of(alarm: Any) -> tuple[dict[str, Any], str]:
    metrics = {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}
    (expression,) = (each["Expression"] for each in alarm["Metrics"] if "Expression" in each)
    return metrics, expression


def evaluate(expression: str, values: dict[str, float | None]) -> Any:
    """Evaluates a CloudWatch expression for one period; None: the period has no data.

    An operation on a period without data has no data; REPEAT finds no earlier value.
    """
    python = expression.replace(" AND ", " and ").replace(" OR ", " or ")
    return evaluated(ast.parse(python, mode="eval").body, values)


def evaluated(node: ast.expr, values: dict[str, float | None]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id="REPEAT"):
            return None
        case ast.Name(id=name):
            return values[name]
        case ast.Call(func=ast.Name(id="FILL"), args=[metric, filling]):
            value = evaluated(metric, values)
            return evaluated(filling, values) if value is None else value
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            value = evaluated(condition, values)
            return None if value is None else evaluated(then if value else otherwise, values)
        case ast.BoolOp(op=ast.And(), values=[left, right]):
            operator: Any = operators.and_
        case ast.BoolOp(op=ast.Or(), values=[left, right]):
            operator = operators.or_
        case ast.Compare(left=left, ops=[comparison], comparators=[right]):
            operator = COMPARISONS[type(comparison)]
        case ast.BinOp(left=left, op=operation, right=right):
            operator = OPERATIONS[type(operation)]
        case _:
            raise ValueError(ast.dump(node))
    operands = (evaluated(left, values), evaluated(right, values))
    return None if None in operands else operator(*operands)


COMPARISONS = {ast.Eq: operators.eq, ast.Gt: operators.gt, ast.LtE: operators.le}
OPERATIONS: dict[type[ast.operator], Any] = {ast.Mult: operators.mul, ast.Sub: operators.sub}


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
