"""Access of the functions to the models' endpoints."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.config import DeploymentConfig
from infra.endpoint_names import endpoint_parameter, endpoint_prefix
from infra.nag import acknowledge


def grant_invoke(scope: Construct, grantee: iam.IGrantable, config: DeploymentConfig) -> None:
    """Allows reading the names of the models' endpoints from SSM, describing and invoking them."""
    stack = cdk.Stack.of(scope)
    for model in config.models:
        ssm.StringParameter.from_string_parameter_attributes(
            scope,
            f"Endpoint-{model.name}",
            parameter_name=endpoint_parameter(config.stage, model.name),
            force_dynamic_reference=True,
        ).grant_read(grantee)
        name = f"{endpoint_prefix(config.stage, model.name)}*"
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["sagemaker:InvokeEndpointAsync", "sagemaker:DescribeEndpoint"],
            resource_arns=[stack.format_arn(service="sagemaker", resource="endpoint", resource_name=name)],
        )
        resource = f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:endpoint/{name}"
        acknowledge(
            grantee.grant_principal,
            {f"IAM5[Resource::{resource}]": "The endpoint's name ends with a hash of its instance types."},
        )
