"""What a stage's templates contain that costs by the month."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

Template = Mapping[str, Any]
"""A CloudFormation template."""

_ALARMS_OF_TARGET_TRACKING = 2
"""That Application Auto Scaling makes for such a policy by itself."""


@dataclass(frozen=True)
class Inventory:
    """Counts.

    Attributes:
        alarm_metrics: metrics in alarms; most alarms have one.
        polled_queues: queues that a function takes messages from.
        endpoint_zones: VPC interface endpoints, each once for every zone that it is in.
    """

    alarm_metrics: int = 0
    dashboards: int = 0
    keys: int = 0
    polled_queues: int = 0
    web_acls: int = 0
    web_acl_rules: int = 0
    endpoint_zones: int = 0

    @classmethod
    def of(cls, templates: Iterable[Template]) -> Self:
        """What there is in all of them together."""
        found = [resource for template in templates for resource in template.get("Resources", {}).values()]

        def properties(kind: str) -> Iterator[Mapping[str, Any]]:
            return (each.get("Properties", {}) for each in found if each["Type"] == kind)

        policies = properties("AWS::ApplicationAutoScaling::ScalingPolicy")
        tracking = sum(each.get("PolicyType") == "TargetTrackingScaling" for each in policies)
        acls = list(properties("AWS::WAFv2::WebACL"))
        return cls(
            alarm_metrics=sum(map(_metrics, properties("AWS::CloudWatch::Alarm")))
            + tracking * _ALARMS_OF_TARGET_TRACKING,
            dashboards=len(list(properties("AWS::CloudWatch::Dashboard"))),
            keys=len(list(properties("AWS::KMS::Key"))),
            polled_queues=len(list(properties("AWS::Lambda::EventSourceMapping"))),
            web_acls=len(acls),
            web_acl_rules=sum(len(acl.get("Rules", [])) for acl in acls),
            endpoint_zones=sum(
                len(each.get("SubnetIds", []))
                for each in properties("AWS::EC2::VPCEndpoint")
                if each.get("VpcEndpointType") == "Interface"
            ),
        )


def _metrics(alarm: Mapping[str, Any]) -> int:
    """How many metrics an alarm reads: those of an expression, or the one."""
    return max(1, sum("MetricStat" in metric for metric in alarm.get("Metrics", [])))
