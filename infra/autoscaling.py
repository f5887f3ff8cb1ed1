"""Autoscaling of an endpoint between its minimum, which may be zero, and its maximum."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.alarms import MINUTE
from infra.endpoint import AsyncEndpoint
from infra.endpoint_names import VARIANT_NAME

_SCALE_IN_LOAD = 0.9
"""The highest load, relative to the target, of the remaining instances for which one is removed.

At 1 the removed instance would be started again at once.
"""


class BacklogScaling(Construct):
    """Four scaling policies on the endpoint's backlog, each with its own alarm.

    - Backlog (target tracking) adds instances while the backlog per instance is above the target.
    - Wake sets one instance when requests are waiting and there is none. The backlog per instance does not
      exist without instances, so target tracking cannot do this.
    - Shrink removes one instance when the others could have handled the backlog during the whole idle tail.
    - Rest sets the minimum when the backlog has been empty during the whole idle tail.

    Target tracking does not remove instances: it would do so after 15 minutes, whatever the idle tail is.
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
        self._add_scale_out_from_zero()
        self._add_scale_in()
        self._add_scale_in_to_minimum()
        for index, minimum in enumerate(self._scaling.scheduled_minimums):
            self._target.scale_on_schedule(
                f"Minimum{index}",
                schedule=autoscaling.Schedule.expression(minimum.cron),
                time_zone=cdk.TimeZone.of(minimum.time_zone),
                min_capacity=minimum.min_instances,
            )

    def _add_scale_out_from_zero(self) -> None:
        self._add_step_policy(
            "Wake",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            1,
            metric=self._metrics.queue("HasBacklogWithoutCapacity", "Maximum"),
            cooldown_s=self._scaling.scale_out_cooldown_s,
            minutes=1,
            summary="Requests are waiting and there is no instance: starts one.",
        )

    def _add_scale_in(self) -> None:
        """The instance count is the backlog divided by the backlog per instance."""
        target = _SCALE_IN_LOAD * self._scaling.target_backlog_per_instance
        self._add_step_policy(
            "Shrink",
            autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            -1,
            metric=cloudwatch.MathExpression(
                expression=f"IF(each > 0 AND all <= {target:g} * (all / each - 1), 1, 0)",
                using_metrics={
                    "all": self._metrics.queue("ApproximateBacklogSize", "Average"),
                    "each": self._metrics.queue("ApproximateBacklogSizePerInstance", "Average"),
                },
                label="One instance is superfluous",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            minutes=self._scaling.idle_tail_s // 60,
            summary="One instance fewer can handle the backlog: removes one.",
        )

    def _add_scale_in_to_minimum(self) -> None:
        self._add_step_policy(
            "Rest",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            self._scaling.min_instances,
            metric=cloudwatch.MathExpression(
                expression="IF(all == 0, 1, 0)",
                using_metrics={"all": self._metrics.queue("ApproximateBacklogSize", "Maximum")},
                label="Idle",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            minutes=self._scaling.idle_tail_s // 60,
            summary="The backlog is empty: sets the minimum number of instances.",
        )

    def _add_step_policy(
        self,
        construct_id: str,
        adjustment_type: autoscaling.AdjustmentType,
        adjustment: int,
        *,
        metric: cloudwatch.IMetric,
        cooldown_s: int,
        minutes: int,
        summary: str,
    ) -> None:
        """Adds a policy that adjusts the instance count when the metric has been 1 for `minutes` minutes."""
        policy = autoscaling.StepScalingAction(
            self,
            construct_id,
            scaling_target=self._target,
            adjustment_type=adjustment_type,
            cooldown=cdk.Duration.seconds(cooldown_s),
            metric_aggregation_type=autoscaling.MetricAggregationType.MAXIMUM,
        )
        policy.add_adjustment(adjustment=adjustment, lower_bound=0)
        alarm = cloudwatch.Alarm(
            self,
            f"{construct_id}Alarm",
            alarm_description=f"scaling: {summary}",
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
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
