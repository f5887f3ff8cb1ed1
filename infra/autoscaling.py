"""Scaling an endpoint between none and many instances."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.alarms import MINUTE
from infra.endpoint import VARIANT_NAME, AsyncEndpoint

_SHRINK_MARGIN = 0.9
"""How full the remaining instances may be when one goes; less than full, or it would come back at once."""


class BacklogScaling(Construct):
    """Four rules, each with an alarm of its own.

    - Tracking starts instances while there is more work than they should have.
    - Wake sets one instance when there is work and none. Without instances there is no backlog per
      instance, so tracking cannot.
    - Shrink takes one instance away when the others could have done the work for the whole idle tail.
    - Rest goes to the minimum when there has been no work at all for as long.

    Tracking does not take instances away: it would after a quarter of an hour, whatever the idle tail.
    """

    def __init__(self, scope: Construct, construct_id: str, *, endpoint: AsyncEndpoint) -> None:
        super().__init__(scope, construct_id)
        self._endpoint = endpoint
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
            custom_metric=endpoint.metric("ApproximateBacklogSizePerInstance", "Average"),
            target_value=self._scaling.target_backlog_per_instance,
            scale_out_cooldown=cdk.Duration.seconds(self._scaling.scale_out_cooldown_s),
            disable_scale_in=True,
        )
        self._wake()
        self._shrink()
        self._rest()
        for index, each in enumerate(self._scaling.scheduled_minimums):
            self._target.scale_on_schedule(
                f"Minimum{index}",
                schedule=autoscaling.Schedule.expression(each.cron),
                time_zone=cdk.TimeZone.of(each.time_zone),
                min_capacity=each.min_instances,
            )

    def _wake(self) -> None:
        self._step(
            "Wake",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            1,
            metric=self._endpoint.metric("HasBacklogWithoutCapacity", "Maximum"),
            cooldown_s=self._scaling.scale_out_cooldown_s,
            minutes=1,
            summary="Requests wait and the endpoint has no instance: wakes it.",
        )

    def _shrink(self) -> None:
        """The instances are the backlog divided by the backlog of each; the work must fit one fewer."""
        room = _SHRINK_MARGIN * self._scaling.target_backlog_per_instance
        self._step(
            "Shrink",
            autoscaling.AdjustmentType.CHANGE_IN_CAPACITY,
            -1,
            metric=cloudwatch.MathExpression(
                expression=f"IF(each > 0 AND all <= {room:g} * (all / each - 1), 1, 0)",
                using_metrics={
                    "all": self._endpoint.metric("ApproximateBacklogSize", "Average"),
                    "each": self._endpoint.metric("ApproximateBacklogSizePerInstance", "Average"),
                },
                label="One instance could go",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            minutes=self._scaling.idle_tail_s // 60,
            summary="The work fits on one instance fewer: takes one away.",
        )

    def _rest(self) -> None:
        self._step(
            "Rest",
            autoscaling.AdjustmentType.EXACT_CAPACITY,
            self._scaling.min_instances,
            metric=cloudwatch.MathExpression(
                expression="IF(all == 0, 1, 0)",
                using_metrics={"all": self._endpoint.metric("ApproximateBacklogSize", "Maximum")},
                label="Idle",
                period=MINUTE,
            ),
            cooldown_s=self._scaling.scale_in_cooldown_s,
            minutes=self._scaling.idle_tail_s // 60,
            summary="There is nothing to do: goes to the minimum.",
        )

    def _step(
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
        """Adjusts the instances while the metric has been 1 for some minutes."""
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
        """The role that Application Auto Scaling makes for itself and uses for every SageMaker variant."""
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
