"""The DynamoDB tables of jobs and of measured times."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from contract.tables import CALLERS_ATTRIBUTES, CALLERS_INDEX, UNFINISHED_ATTRIBUTES, UNFINISHED_INDEX

_STRING = dynamodb.AttributeType.STRING
_NUMBER = dynamodb.AttributeType.NUMBER


def add_jobs_table(
    scope: Construct, *, key: kms.Key | None, removal_policy: cdk.RemovalPolicy
) -> dynamodb.Table:
    """Adds the table of jobs, `Jobs`, with its indexes."""
    table = _add_table(scope, "Jobs", key=key, removal_policy=removal_policy)
    table.add_global_secondary_index(
        index_name=CALLERS_INDEX,
        partition_key=dynamodb.Attribute(name="list_key", type=_STRING),
        sort_key=dynamodb.Attribute(name="id", type=_STRING),
        projection_type=dynamodb.ProjectionType.INCLUDE,
        non_key_attributes=list(CALLERS_ATTRIBUTES),
    )
    table.add_global_secondary_index(
        index_name=UNFINISHED_INDEX,
        partition_key=dynamodb.Attribute(name="queue", type=_STRING),
        sort_key=dynamodb.Attribute(name="due_at", type=_NUMBER),
        projection_type=dynamodb.ProjectionType.INCLUDE,
        non_key_attributes=list(UNFINISHED_ATTRIBUTES),
    )
    return table


def add_estimates_table(
    scope: Construct, *, key: kms.Key | None, removal_policy: cdk.RemovalPolicy
) -> dynamodb.Table:
    """Adds the table of measured times, `Estimates`."""
    return _add_table(scope, "Estimates", key=key, removal_policy=removal_policy)


def _add_table(
    scope: Construct, construct_id: str, *, key: kms.Key | None, removal_policy: cdk.RemovalPolicy
) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        construct_id,
        partition_key=dynamodb.Attribute(name="id", type=_STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute="expires_at",
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else dynamodb.TableEncryption.DEFAULT,
        encryption_key=key,
        removal_policy=removal_policy,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
    )


def grant_table(grantee: iam.IGrantable, table: dynamodb.Table, actions: list[str]) -> None:
    """Allows actions on the items of a table; `Table.grant` would include every index."""
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=[f"dynamodb:{action}" for action in actions],
        resource_arns=[table.table_arn],
    )


def grant_query(grantee: iam.IGrantable, table: dynamodb.Table, *indexes: str) -> None:
    """Allows queries of indexes."""
    arns = [f"{table.table_arn}/index/{index}" for index in indexes]
    iam.Grant.add_to_principal(grantee=grantee, actions=["dynamodb:Query"], resource_arns=arns)
