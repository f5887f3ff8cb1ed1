"""Counts of the resources in a stage's templates that are billed per month."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

Template = Mapping[str, Any]
"""A CloudFormation template."""

_MB_PER_GB = 1024
_ALARMS_OF_TARGET_TRACKING = 2
"""The alarms that Application Auto Scaling creates for each target tracking policy."""


@dataclass(frozen=True)
class Inventory:
    """Resource counts.

    Attributes:
        alarm_metrics: metrics of alarms; most alarms have one.
        polled_queues: queues that are event sources of Lambda functions.
        endpoint_zones: VPC interface endpoints, counted once per availability zone.
        schedules: schedules of functions, each of which runs every minute.
        snapshot_gb: memory of the functions with SnapStart, in GB.
    """

    alarm_metrics: int = 0
    dashboards: int = 0
    keys: int = 0
    secrets: int = 0
    polled_queues: int = 0
    web_acls: int = 0
    web_acl_rules: int = 0
    endpoint_zones: int = 0
    schedules: int = 0
    snapshot_gb: float = 0

    @classmethod
    def of(cls, templates: Iterable[Template]) -> Self:
        """The counts of all templates together."""
        resources = [
            resource for template in templates for resource in template.get("Resources", {}).values()
        ]

        def properties(kind: str) -> Iterator[Mapping[str, Any]]:
            return (each.get("Properties", {}) for each in resources if each["Type"] == kind)

        policies = properties("AWS::ApplicationAutoScaling::ScalingPolicy")
        tracking = sum(each.get("PolicyType") == "TargetTrackingScaling" for each in policies)
        acls = list(properties("AWS::WAFv2::WebACL"))
        return cls(
            alarm_metrics=sum(map(_metrics, properties("AWS::CloudWatch::Alarm")))
            + tracking * _ALARMS_OF_TARGET_TRACKING,
            dashboards=len(list(properties("AWS::CloudWatch::Dashboard"))),
            keys=len(list(properties("AWS::KMS::Key"))),
            secrets=len(list(properties("AWS::SecretsManager::Secret"))),
            polled_queues=len(list(properties("AWS::Lambda::EventSourceMapping"))),
            web_acls=len(acls),
            web_acl_rules=sum(len(acl.get("Rules", [])) for acl in acls),
            endpoint_zones=sum(
                len(each.get("SubnetIds", []))
                for each in properties("AWS::EC2::VPCEndpoint")
                if each.get("VpcEndpointType") == "Interface"
            ),
            schedules=sum("ScheduleExpression" in each for each in properties("AWS::Events::Rule")),
            snapshot_gb=sum(
                each["MemorySize"] / _MB_PER_GB
                for each in properties("AWS::Lambda::Function")
                if "SnapStart" in each
            ),
        )


def _metrics(alarm: Mapping[str, Any]) -> int:
    """The number of metrics that an alarm evaluates: those of its expression, or one."""
    return max(1, sum("MetricStat" in metric for metric in alarm.get("Metrics", [])))
