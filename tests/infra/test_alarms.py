"""Every alarm of the templates, its recipients and its entry in the runbook."""

import re
from typing import Any, NamedTuple

from aws_cdk.assertions import Template

from tests.conftest import ROOT
from tests.infra.conftest import Templates, text, without_hash

ALARM = "AWS::CloudWatch::Alarm"
RUNBOOK = ROOT / "docs" / "operations.md"
ABOVE = "GreaterThanThreshold"
AT_LEAST = "GreaterThanOrEqualToThreshold"
IGNORED = "notBreaching"
BACKLOG = "AWS/SageMaker ApproximateBacklogSize"
BACKLOG_PER_INSTANCE = "AWS/SageMaker ApproximateBacklogSizePerInstance"


class Alarm(NamedTuple):
    """The condition of an alarm.

    Attributes:
        metric: a metric or an expression.
        of: the metric's dimensions, or the metrics of the expression.
    """

    metric: str
    of: tuple[str, ...]
    statistic: str | None
    period_s: int | None
    comparison: str
    threshold: float
    minutes: int
    missing_data: str


KEYS = {
    "Api/ApiKeysReadAlarmFunctionErrors": Alarm(
        "AWS/Lambda Errors", ("FunctionName=ApiKeysReadFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ApiKeysReadAlarmFunctionThrottles": Alarm(
        "AWS/Lambda Throttles", ("FunctionName=ApiKeysReadFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
}
"""The alarms of the authorizer of API keys."""


def endpoint_alarms(endpoint: str) -> dict[str, Alarm]:
    """The alarms of an endpoint in a stage with default settings."""
    stack = f"Endpoint-{endpoint}"
    name = (f"EndpointName={endpoint}",)
    instances = (*name, "VariantName=primary")
    waiting = "waiting: AWS/SageMaker HasBacklogWithoutCapacity"
    total, each = f"all: {BACKLOG}", f"each: {BACKLOG_PER_INSTANCE}"
    return {
        f"{stack}/AsyncEndpointAlarmBacklogAge": Alarm(
            "AWS/SageMaker ApproximateAgeOfOldestRequest", name, "Maximum", 60, ABOVE, 1800, 5, IGNORED
        ),
        f"{stack}/AsyncEndpointAlarmWakeUpSlow": Alarm(
            "AWS/SageMaker HasBacklogWithoutCapacity", name, "Maximum", 60, ABOVE, 0, 20, IGNORED
        ),
        f"{stack}/AsyncEndpointAlarmGpuMemory": Alarm(
            "/aws/sagemaker/Endpoints GPUMemoryUtilization", instances, "Maximum", 60, ABOVE, 95, 5, IGNORED
        ),
        f"{stack}/AsyncEndpointAlarmMostJobsFailing": Alarm(
            "StableDiffusion Failures",
            (f"Model={endpoint}", "Stage=test"),
            "Average",
            60,
            ABOVE,
            0.5,
            3,
            IGNORED,
        ),
        **{
            f"{stack}/AsyncEndpointAlarm{alarm}": Alarm(
                f"AWS/SageMaker {metric}", instances, "Sum", 60, ABOVE, 0, minutes, IGNORED
            )
            for alarm, metric, minutes in (
                ("JobsFailing", "InvocationFailures", 5),
                ("RequestsExpired", "ExpiredRequests", 1),
                ("NotificationsFailing", "NotificationFailures", 1),
                ("DownloadsFailing", "RequestDownloadFailures", 1),
                ("UploadsFailing", "ResponseUploadFailures", 1),
            )
        },
        f"{stack}/ScalingWakeAlarm": Alarm(
            "IF(waiting > 0, IF(FILL(FILL(all, REPEAT), 1) > 1, FILL(FILL(all, REPEAT), 1), 1), 0)",
            (f"{waiting} Maximum 60 {name}", f"{total} Maximum 60 {name}"),
            None,
            None,
            AT_LEAST,
            1,
            1,
            IGNORED,
        ),
        f"{stack}/ScalingShrinkAlarm": Alarm(
            "IF(FILL(all, 0) == 0 AND FILL(reports, 0) > 5, 1, 0)",
            (
                f"{total} Maximum 300 {name}",
                f"reports: /aws/sagemaker/Endpoints GPUMemoryUtilization SampleCount 300 {instances}",
            ),
            None,
            None,
            AT_LEAST,
            1,
            1,
            IGNORED,
        ),
        f"{stack}/ScalingRestAlarm": Alarm(
            "IF(FILL(all, 0) == 0 AND FILL(waiting, 0) == 0, 1, 0)",
            (f"{total} Maximum 60 {name}", f"{waiting} Maximum 60 {name}"),
            None,
            None,
            AT_LEAST,
            1,
            15,
            "breaching",
        ),
        f"{stack}/ScalingTrimAlarm": Alarm(
            "IF(FILL(all, 0) == 0 OR (FILL(each, 0) > 0 AND FILL(each, 0) * FILL(all, 0) <= "
            "3.6 * (FILL(all, 0) - FILL(each, 0))), 1, 0)",
            (f"{total} Average 60 {name}", f"{each} Average 60 {name}"),
            None,
            None,
            AT_LEAST,
            1,
            60,
            IGNORED,
        ),
    }


SHARED = {
    "Storage/CompletionQueueAlarmDeadLetters": Alarm(
        "AWS/SQS ApproximateNumberOfMessagesVisible",
        ("QueueName=CompletionQueueDeadLetters",),
        "Maximum",
        60,
        ABOVE,
        0,
        1,
        IGNORED,
    ),
    "Storage/CompletionQueueAlarmCompletionMessagesLate": Alarm(
        "AWS/SQS ApproximateAgeOfOldestMessage",
        ("QueueName=CompletionQueueCompletions",),
        "Maximum",
        60,
        ABOVE,
        300,
        1,
        IGNORED,
    ),
    "Storage/WebhookQueueAlarmWebhookDeadLetters": Alarm(
        "AWS/SQS ApproximateNumberOfMessagesVisible",
        ("QueueName=WebhookQueueDeadLetters",),
        "Maximum",
        60,
        ABOVE,
        0,
        1,
        IGNORED,
    ),
    "Api/ApiAlarmApiErrors": Alarm(
        "AWS/ApiGateway 5XXError", ("ApiName=stable-diffusion-test",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ApiHttpAlarmFunctionErrors": Alarm(
        "AWS/Lambda Errors", ("FunctionName=ApiHttpFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ApiHttpAlarmFunctionThrottles": Alarm(
        "AWS/Lambda Throttles", ("FunctionName=ApiHttpFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/CompletionSettleAlarmFunctionErrors": Alarm(
        "AWS/Lambda Errors", ("FunctionName=CompletionSettleFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/CompletionSettleAlarmFunctionThrottles": Alarm(
        "AWS/Lambda Throttles", ("FunctionName=CompletionSettleFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ReconcilerReconcileAlarmFunctionErrors": Alarm(
        "AWS/Lambda Errors", ("FunctionName=ReconcilerReconcileFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ReconcilerReconcileAlarmFunctionThrottles": Alarm(
        "AWS/Lambda Throttles", ("FunctionName=ReconcilerReconcileFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/ReconcilerAlarmJobsReconciled": Alarm(
        "m0 + m1 + m2 + m3",
        tuple(
            f"m{index}: StableDiffusion {name} Sum 60 ('Stage=test', 'service=jobs')"
            for index, name in enumerate(
                ("JobsCompletedLate", "JobsResubmitted", "JobsFailedByReconciler", "JobsExpired")
            )
        ),
        None,
        None,
        ABOVE,
        0,
        5,
        IGNORED,
    ),
    "Api/WebhooksCallAlarmFunctionErrors": Alarm(
        "AWS/Lambda Errors", ("FunctionName=WebhooksCallFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
    "Api/WebhooksCallAlarmFunctionThrottles": Alarm(
        "AWS/Lambda Throttles", ("FunctionName=WebhooksCallFunction",), "Sum", 60, ABOVE, 0, 3, IGNORED
    ),
}
"""The alarms of a stage by stack and logical id without its hash, except those of endpoints."""

NOT_CONDITIONS = {"AlarmDescription", "Tags", "AlarmActions", "OKActions"}


def dimensions(found: list[Any]) -> tuple[str, ...]:
    def value(of: Any) -> str:
        match of:
            case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), _]}:
                return without_hash(logical_id)
            case _:
                return re.sub(r"^sd-test-(.+)-[0-9a-f]{8}$", r"\1", of)

    return tuple(f"{each['Name']}={value(each['Value'])}" for each in found)


def condition(properties: dict[str, Any]) -> Alarm:
    """The condition of an alarm; a property that is not part of `Alarm` raises an error."""
    rest = {name: value for name, value in properties.items() if name not in NOT_CONDITIONS}
    shared = (
        rest.pop("ComparisonOperator"),
        rest.pop("Threshold"),
        rest.pop("EvaluationPeriods"),
        rest.pop("TreatMissingData"),
    )
    if "Metrics" in rest:
        entries = rest.pop("Metrics")
        (expression,) = (each["Expression"] for each in entries if each["ReturnData"])
        used = [each for each in entries if not each["ReturnData"]]
        metric, of, statistic, period = expression, tuple(map(used_metric, used)), None, None
    else:
        metric = f"{rest.pop('Namespace')} {rest.pop('MetricName')}"
        of, statistic, period = dimensions(rest.pop("Dimensions")), rest.pop("Statistic"), rest.pop("Period")
    assert not rest
    return Alarm(metric, of, statistic, period, *shared)


def used_metric(entry: dict[str, Any]) -> str:
    statistic = entry["MetricStat"]
    metric = statistic["Metric"]
    return (
        f"{entry['Id']}: {metric['Namespace']} {metric['MetricName']} {statistic['Stat']} "
        f"{statistic['Period']} {dimensions(metric['Dimensions'])}"
    )


def properties_of(template: Template) -> dict[str, Any]:
    return {key: each["Properties"] for key, each in template.find_resources(ALARM).items()}


def conditions(templates: Templates) -> dict[str, Alarm]:
    return {
        f"{stack}/{without_hash(key)}": condition(alarm)
        for stack, template in templates.by_stack.items()
        for key, alarm in properties_of(template).items()
    }


def alarms(templates: Templates) -> dict[str, list[Any]]:
    """The properties of the alarms that notify operators, by their entry in the runbook."""
    found: dict[str, list[Any]] = {}
    for template in templates.all():
        for alarm in properties_of(template).values():
            description = alarm["AlarmDescription"]
            if not description.startswith("scaling: "):
                match = re.search(r"See docs/operations\.md#([a-z-]+)$", description)
                assert match, description
                found.setdefault(match[1], []).append(alarm)
    return found


def test_the_conditions_of_all_alarms_with_default_settings(small: Templates) -> None:
    assert conditions(small) == SHARED | KEYS | endpoint_alarms("demo")


def test_the_conditions_of_all_alarms_follow_the_settings(large: Templates) -> None:
    expected = SHARED | endpoint_alarms("first") | endpoint_alarms("second")

    def change(alarm: str, **fields: Any) -> None:
        expected[alarm] = expected[alarm]._replace(**fields)

    for endpoint in ("first", "second"):
        change(f"Endpoint-{endpoint}/AsyncEndpointAlarmBacklogAge", threshold=77)
        change(f"Endpoint-{endpoint}/AsyncEndpointAlarmWakeUpSlow", minutes=5)
        change(f"Endpoint-{endpoint}/AsyncEndpointAlarmGpuMemory", threshold=88)
    change(
        "Endpoint-first/ScalingTrimAlarm",
        metric="IF(FILL(all, 0) == 0 OR (FILL(each, 0) > 0 AND FILL(each, 0) * FILL(all, 0) <= "
        "2.25 * (FILL(all, 0) - FILL(each, 0))), 1, 0)",
        minutes=20,
    )
    change("Endpoint-first/ScalingRestAlarm", minutes=4)
    assert conditions(large) == expected


def test_every_alarm_has_an_entry_in_the_runbook_and_every_entry_an_alarm(
    small: Templates, large: Templates
) -> None:
    section = RUNBOOK.read_text().partition("## Alarms")[2].partition("\n## ")[0]
    entries = re.findall(r"^### (.+)$", section, re.MULTILINE)
    assert sorted(alarms(small)) == sorted(alarms(large)) == sorted(entries)
    for entry in section.split("\n### ")[1:]:
        for part in ("**Meaning.**", "**Check.**", "**Action.**"):
            assert part in entry


def test_the_severity_of_every_alarm(small: Templates, large: Templates) -> None:
    for templates in (small, large):
        severities = {
            entry: {alarm["AlarmDescription"].partition(":")[0] for alarm in found}
            for entry, found in alarms(templates).items()
        }
        assert severities == {
            "api-errors": {"critical"},
            "backlog-age": {"warning"},
            "completion-messages-late": {"critical"},
            "dead-letters": {"critical"},
            "function-errors": {"critical"},
            "function-throttles": {"warning"},
            "downloads-failing": {"warning"},
            "gpu-memory": {"warning"},
            "jobs-failing": {"warning"},
            "jobs-reconciled": {"warning"},
            "most-jobs-failing": {"critical"},
            "notifications-failing": {"warning"},
            "requests-expired": {"warning"},
            "uploads-failing": {"warning"},
            "wake-up-slow": {"critical"},
            "webhook-dead-letters": {"warning"},
        }


def test_alarms_and_recoveries_notify_the_email_topic_and_the_existing_topics(large: Templates) -> None:
    (subscription,) = large.storage.find_resources(
        "AWS::SNS::Subscription", {"Properties": {"Protocol": "email"}}
    ).values()
    assert subscription["Properties"]["Endpoint"] == "oncall@example.com"
    email_topic = without_hash(subscription["Properties"]["TopicArn"]["Ref"])
    for found in alarms(large).values():
        for alarm in found:
            existing, own = alarm["AlarmActions"]
            assert alarm["OKActions"] == [existing, own]
            assert existing == "arn:aws:sns:us-east-1:123456789012:incidents"
            assert email_topic in text(own)


def test_cloudwatch_may_publish_to_the_email_topic(large: Templates) -> None:
    statements = [
        statement
        for policy in large.storage.find_resources("AWS::SNS::TopicPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    (statement,) = statements
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sns:Publish")
    assert statement["Resource"]["Ref"].startswith("AlarmTopicsAlarms")


def test_without_recipients_alarms_have_no_actions(small: Templates) -> None:
    assert not any("AlarmActions" in alarm for found in alarms(small).values() for alarm in found)
    small.storage.resource_count_is("AWS::SNS::Topic", 2)
