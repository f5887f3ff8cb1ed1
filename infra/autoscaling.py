"""Autoscaling of an endpoint between its minimum, which may be zero, and its maximum."""

from collections.abc import Mapping
from itertools import pairwise
from math import ceil, floor

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.alarms import MINUTE
from infra.config.model import ScalingConfig
from infra.endpoint import AsyncEndpoint
from infra.endpoint_names import VARIANT_NAME

_SCALE_IN_LOAD = 0.9
"""The highest load, relative to the target, of the remaining instances for which one is removed.

At 1 the removed instance would be started again at once.
"""

_IDLE_MINUTES = 5
"""Minutes without a request after which no instance is working, though metrics are up to two minutes late."""

_MAX_STEPS = 20
"""Application Auto Scaling's limit for the step adjustments of a policy."""


class BacklogScaling(Construct):
    """Scaling policies on the endpoint's backlog, each with its own alarm.

    - Backlog (target tracking) adds instances while the backlog per instance is above the target.
    - Wake sets the number of instances for the backlog when requests are waiting and there is no instance.
      The backlog per instance does not exist without instances, so target tracking cannot do this.
    - Shrink removes one of several instances when there was no request for five minutes.
    - Rest sets the minimum when there was no request during the whole idle tail.
    - Trim, with a busy tail, removes one instance when the others could have handled the backlog during the
      whole busy tail.

    Target tracking does not remove instances: it would do so after 15 minutes, working or not. SageMaker does
    not document which instance it removes, nor that it waits for the requests of that instance.

    Whether SageMaker publishes the metrics of an endpoint without requests is not documented: no data means
    no requests, but never in the latest minute alone, whose data may be late.
    """

    def __init__(self, scope: Construct, construct_id: str, *, endpoint: AsyncEndpoint) -> None:
        super().__init__(scope, construct_id)
        self._metrics = endpoint.metrics
        self._scaling = endpoint.model.scaling
        self._target = autoscaling.ScalableTarget(
            self,
            "Target",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint.endpoint.attr_endpoint_name}/variant/{VARIANT_NAME}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=self._scaling.min_instances,
            max_capacity=self._scaling.max_instances,
            role=self._service_linked_role(),
        )
        self._target.scale_to_track_metric(
            "Backlog",
            custom_metric=self._metrics.queue("ApproximateBacklogSizePerInstance", "Average"),
            target_value=self._scaling.target_backlog_per_instance,
            scale_out_cooldown=cdk.Duration.seconds(self._scaling.scale_out_cooldown_s),
            disable_scale_in=True,
        )
        self._add_wake()
        self._add_shrink()
        self._add_rest()
        if self._scaling.busy_tail_s:
            self._add_trim()
        for index, minimum in enumerate(self._scaling.scheduled_minimums):
            self._target.scale_on_schedule(
                f"Minimum{index}",
                schedule=autoscaling.Schedule.expression(minimum.cron),
                time_zone=cdk.TimeZone.of(minimum.time_zone),
                min_capacity=minimum.min_instances,
            )

    def _add_wake(self) -> None:
        """The value of the expression is the backlog, and at least 1, while there is no instance."""
        self._add_step_policy(
            "Wake",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            instances_by_backlog(self._scaling),
            metric=cloudwatch.MathExpression(
                expression=(
                    "IF(waiting > 0, IF(FILL(FILL(all, REPEAT), 1) > 1, FILL(FILL(all, REPEAT), 1), 1), 0)"
                ),
                using_metrics={
                    "waiting": self._metrics.queue("HasBacklogWithoutCapacity", "Maximum"),
                    "all": self._metrics.queue("ApproximateBacklogSize", "Maximum"),
                },
                label="Requests without an instance",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_out_cooldown_s,
            periods=1,
            summary="Requests are waiting and there is no instance: starts as many as they need.",
        )

    def _add_shrink(self) -> None:
        """Each instance reports once a minute; in five minutes, one instance reports five times at most."""
        period = cdk.Duration.minutes(_IDLE_MINUTES)
        self._add_step_policy(
            "Shrink",
            autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            {0: -1},
            metric=cloudwatch.MathExpression(
                expression=f"IF(FILL(all, 0) == 0 AND FILL(reports, 0) > {_IDLE_MINUTES}, 1, 0)",
                using_metrics={
                    "all": self._metrics.queue("ApproximateBacklogSize", "Maximum").with_(period=period),
                    "reports": self._metrics.instances("GPUMemoryUtilization", "SampleCount").with_(
                        period=period
                    ),
                },
                label="Several instances are idle",
                period=period,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            periods=1,
            summary="Several instances are idle: removes one.",
        )

    def _add_rest(self) -> None:
        self._add_step_policy(
            "Rest",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            {0: self._scaling.min_instances},
            metric=cloudwatch.MathExpression(
                expression="IF(FILL(all, 0) == 0 AND FILL(waiting, 0) == 0, 1, 0)",
                using_metrics={
                    "all": self._metrics.queue("ApproximateBacklogSize", "Maximum"),
                    "waiting": self._metrics.queue("HasBacklogWithoutCapacity", "Maximum"),
                },
                label="Idle",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            periods=self._scaling.idle_tail_s // 60,
            missing_data=cloudwatch.TreatMissingData.BREACHING,
            summary="The backlog is empty: sets the minimum number of instances.",
        )

    def _add_trim(self) -> None:
        """The instance count is the backlog divided by the backlog per instance."""
        target = _SCALE_IN_LOAD * self._scaling.target_backlog_per_instance
        self._add_step_policy(
            "Trim",
            autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            {0: -1},
            metric=cloudwatch.MathExpression(
                expression=(
                    "IF(FILL(all, 0) == 0 OR (FILL(each, 0) > 0 AND FILL(each, 0) * FILL(all, 0) <= "
                    f"{target:g} * (FILL(all, 0) - FILL(each, 0))), 1, 0)"
                ),
                using_metrics={
                    "all": self._metrics.queue("ApproximateBacklogSize", "Average"),
                    "each": self._metrics.queue("ApproximateBacklogSizePerInstance", "Average"),
                },
                label="One instance is superfluous",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            periods=self._scaling.busy_tail_s // 60,
            summary="One instance fewer can handle the backlog: removes one.",
        )

    def _add_step_policy(
        self,
        construct_id: str,
        adjustment_type: autoscaling.AdjustmentType,
        adjustments: Mapping[int, int],
        *,
        metric: cloudwatch.IMetric,
        cooldown_s: int,
        periods: int,
        summary: str,
        missing_data: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Adds a policy that adjusts the instance count when the metric has been at least 1.

        Args:
            construct_id: the policy's name.
            adjustment_type: what the adjustments mean.
            adjustments: by the excess of the metric over 1 from which they apply; the first is 0.
            metric: the metric.
            cooldown_s: seconds between two adjustments.
            periods: periods of the metric for which it must have been at least 1.
            summary: part of the alarm's description.
            missing_data: whether periods without data count as if the metric were at least 1.
        """
        policy = autoscaling.StepScalingAction(
            self,
            construct_id,
            scaling_target=self._target,
            adjustment_type=adjustment_type,
            cooldown=cdk.Duration.seconds(cooldown_s),
            metric_aggregation_type=autoscaling.MetricAggregationType.MAXIMUM,
        )
        for (lower, adjustment), (upper, _) in pairwise([*adjustments.items(), (None, 0)]):
            policy.add_adjustment(adjustment=adjustment, lower_bound=lower, upper_bound=upper)
        alarm = cloudwatch.Alarm(
            self,
            f"{construct_id}Alarm",
            alarm_description=f"scaling: {summary}",
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=missing_data,
        )
        alarm.add_alarm_action(actions.ApplicationScalingAction(policy))

    def _service_linked_role(self) -> iam.IRole:
        """The service-linked role that Application Auto Scaling uses for every SageMaker variant."""
        arn = cdk.Stack.of(self).format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=(
                "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
            ),
        )
        return iam.Role.from_role_arn(self, "ServiceLinkedRole", arn, mutable=False)


def instances_by_backlog(scaling: ScalingConfig) -> dict[int, int]:
    """The instances to start, by the excess of the backlog over 1 from which they are needed.

    n instances are needed from the first whole backlog above n - 1 times the target. With more instances than
    an adjustment can be made for, each adjustment adds several.
    """
    stride = ceil(scaling.max_instances / _MAX_STEPS)
    counts = [*range(stride, scaling.max_instances, stride), scaling.max_instances]
    steps: dict[int, int] = {}
    for before, count in pairwise([0, *counts]):
        steps[floor(before * scaling.target_backlog_per_instance)] = count
    return steps
