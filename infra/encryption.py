"""Key policy statements for AWS services that use the stage's KMS key."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

OF_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
"""The condition that the service acts for a resource of this account."""


def key_for_service(
    scope: Construct, key: kms.Key | None, service: str, *, conditions: Mapping[str, Any] | None = None
) -> kms.IKey | None:
    """Allows an AWS service to use the key for encrypted topics and queues.

    The result is an imported view of the key. With the key itself, the CDK would add one statement per topic
    to the key policy, and key and topics would depend on each other.

    Args:
        scope: the construct that uses the key.
        key: the stage's key; None if the stage has none.
        service: the service principal, such as sns.amazonaws.com.
        conditions: conditions of the statement.

    Returns:
        The key to pass to topics and queues, or None without a key.
    """
    if key is None:
        return None
    allow_service(key, service, conditions=conditions)
    return kms.Key.from_key_arn(scope, "Key", key.key_arn)


def allow_service(key: kms.Key, service: str, *, conditions: Mapping[str, Any] | None = None) -> None:
    """Adds the statement to the key's policy that lets a service encrypt and decrypt messages."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions=conditions,
        )
    )
