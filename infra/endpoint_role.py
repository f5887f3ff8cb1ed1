"""The execution role of an endpoint: permissions of SageMaker and of the inference container."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.source import HubSource, S3Source
from infra.completion_queue import CompletionQueue
from infra.config import ModelConfig
from infra.image import InferenceImage
from infra.log_groups import NamedLogGroup
from infra.nag import acknowledge
from infra.storage import Storage

_NETWORK_INTERFACE_ACTIONS = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
]
_DESCRIBE_NETWORK_ACTIONS = [
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]


def create_role(
    scope: Construct,
    *,
    model: ModelConfig,
    image: InferenceImage,
    storage: Storage,
    completion_queue: CompletionQueue,
    log_group: NamedLogGroup,
    rollback_alarms: Sequence[cloudwatch.Alarm],
    in_vpc: bool,
) -> iam.Role:
    """The execution role of the model's endpoint, as `Role` in `scope`.

    Args:
        scope: the endpoint's construct.
        model: the model and its companions, whose files the role may read.
        image: the container image that the role may pull.
        storage: the buckets.
        completion_queue: the topics that the role may publish to.
        log_group: the log group of the endpoint.
        rollback_alarms: the alarms whose state SageMaker reads during an update.
        in_vpc: whether SageMaker attaches the containers to a VPC.
    """
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    image.grant_pull(role)
    storage.grant_container(role)
    storage.grant_output_prefixes(role, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
    completion_queue.grant_publish(role)
    if model.compile:
        storage.grant_compile_cache(role)
    for served in model.served:
        match served.source:
            case S3Source() as source:
                storage.grant_model(role, served.name, source)
            case HubSource(token_secret_arn=str(arn)):
                _allow(role, ["secretsmanager:GetSecretValue"], arn)
    log_group.grant(
        role,
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    )
    if rollback_alarms:
        _allow(role, ["cloudwatch:DescribeAlarms"], *(alarm.alarm_arn for alarm in rollback_alarms))
    if in_vpc:
        _allow_vpc_attachment(role)
    acknowledge(role, {"IAM5[Resource::*]": "ecr:GetAuthorizationToken cannot be limited to a resource."})
    return role


def _allow_vpc_attachment(role: iam.Role) -> None:
    stack = cdk.Stack.of(role)
    kinds = ("network-interface", "subnet", "security-group")
    arns = [stack.format_arn(service="ec2", resource=kind, resource_name="*") for kind in kinds]
    _allow(role, _NETWORK_INTERFACE_ACTIONS, *arns)
    _allow(role, _DESCRIBE_NETWORK_ACTIONS, "*")
    for kind in kinds:
        finding = f"IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:{kind}/*]"
        acknowledge(
            role, {finding: "SageMaker creates network interfaces; their ids are not known in advance."}
        )


def _allow(role: iam.Role, actions: list[str], *arns: str) -> None:
    iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=list(arns))
