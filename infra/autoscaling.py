"""Scaling an endpoint between none and many instances."""

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.endpoint import VARIANT_NAME, AsyncEndpoint

_NAMESPACE = "AWS/SageMaker"
_PERIOD = cdk.Duration.minutes(1)


class BacklogScaling(Construct):
    """Follows the backlog per instance, and wakes the endpoint when there is work and no instance.

    Without instances there is no backlog per instance: only the wake-up policy acts then. It sets one
    instance; from there the tracking policy takes over, and the larger of two wishes wins.
    """

    def __init__(self, scope: Construct, construct_id: str, *, endpoint: AsyncEndpoint) -> None:
        super().__init__(scope, construct_id)
        scaling = endpoint.model.scaling
        target = autoscaling.ScalableTarget(
            self,
            "Target",
            service_namespace=autoscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint.endpoint_name}/variant/{VARIANT_NAME}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            min_capacity=scaling.min_instances,
            max_capacity=scaling.max_instances,
            role=self._service_linked_role(),
        )
        target.scale_to_track_metric(
            "Backlog",
            custom_metric=_metric(endpoint, "ApproximateBacklogSizePerInstance", "Average"),
            target_value=scaling.target_backlog_per_instance,
            scale_out_cooldown=cdk.Duration.seconds(scaling.scale_out_cooldown_s),
            scale_in_cooldown=cdk.Duration.seconds(scaling.scale_in_cooldown_s),
        )
        wake = autoscaling.StepScalingAction(
            self,
            "Wake",
            scaling_target=target,
            adjustment_type=autoscaling.AdjustmentType.EXACT_CAPACITY,
            cooldown=cdk.Duration.seconds(scaling.scale_out_cooldown_s),
            metric_aggregation_type=autoscaling.MetricAggregationType.MAXIMUM,
        )
        wake.add_adjustment(adjustment=1, lower_bound=0)
        alarm = cloudwatch.Alarm(
            self,
            "BacklogWithoutCapacity",
            alarm_description="Requests wait and the endpoint has no instance: wakes it.",
            metric=_metric(endpoint, "HasBacklogWithoutCapacity", "Maximum"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.ApplicationScalingAction(wake))

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


def _metric(endpoint: AsyncEndpoint, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=_NAMESPACE,
        metric_name=name,
        dimensions_map={"EndpointName": endpoint.endpoint_name},
        statistic=statistic,
        period=_PERIOD,
    )
