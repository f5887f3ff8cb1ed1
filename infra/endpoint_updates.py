"""Updates of an endpoint: a second fleet takes over, and the first one returns if alarms fire."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker

from infra.config import ModelConfig

_BAKING_S = 360
"""Longer than the three minutes and the delay of metrics after which most-jobs-failing fires."""

_PROVISIONING_S = 3600
"""The longest time for which SageMaker tries to get instances of several types."""


def deployment_config(
    model: ModelConfig, rollback_alarms: Sequence[cloudwatch.Alarm]
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """A blue/green deployment whose old fleet stays until its longest job has ended.

    Args:
        model: its timeouts decide how long the update may take.
        rollback_alarms: alarms that return the traffic to the old fleet while the new one is observed; empty:
            only a fleet that does not start fails the update.
    """
    properties = sagemaker.CfnEndpoint
    starting_s = _PROVISIONING_S + model.download_timeout_s + model.startup_timeout_s
    return properties.DeploymentConfigProperty(
        blue_green_update_policy=properties.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=properties.TrafficRoutingConfigProperty(
                type="ALL_AT_ONCE", wait_interval_in_seconds=_BAKING_S
            ),
            termination_wait_in_seconds=model.invocation_timeout_s,
            maximum_execution_timeout_in_seconds=starting_s + _BAKING_S + model.invocation_timeout_s,
        ),
        auto_rollback_configuration=(
            properties.AutoRollbackConfigProperty(
                alarms=[properties.AlarmProperty(alarm_name=alarm.alarm_name) for alarm in rollback_alarms]
            )
            if rollback_alarms
            else None
        ),
    )
