"""CloudWatch log groups. They outlive their stacks, so that the log of a failed deployment remains."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.nag import acknowledge

_FUNCTION_ID = "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a"
"""The id that the CDK gives to the function of `LogRetention`, once per stack."""

_FUNCTION_LOGS = "/aws/lambda/StableDiffusion-*"
"""The log groups of functions whose names CloudFormation derives from the names of the stacks."""

_RETENTION_ACTIONS = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]


def add_log_group(scope: Construct, construct_id: str, *, retention: logs.RetentionDays) -> logs.LogGroup:
    """Adds a log group with a generated name, which a group that remains of an earlier stack cannot have."""
    return logs.LogGroup(scope, construct_id, retention=retention, removal_policy=cdk.RemovalPolicy.RETAIN)


class NamedLogGroup(Construct):
    """A log group with a retention, whose name is chosen by the AWS service that writes to it.

    CloudFormation refuses to create a log group that exists already, for instance after a deployment that was
    rolled back. The CDK's custom resource creates the group only if it is missing, and never deletes it.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, retention: logs.RetentionDays
    ) -> None:
        super().__init__(scope, construct_id)
        self._pattern = f"{name}:*"
        logs.LogRetention(
            self,
            "Retention",
            log_group_name=name,
            retention=retention,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            role=self._role(),
        )
        function = cdk.Stack.of(self).node.find_child(_FUNCTION_ID)
        acknowledge(function, {"L1": "The CDK chooses the runtime of this function."})

    def grant(self, role: iam.Role, *actions: str) -> None:
        """Allows a role to perform actions on the group and its streams."""
        iam.Grant.add_to_principal(
            grantee=role, actions=list(actions), resource_arns=[self._arn(self._pattern)]
        )
        _acknowledge(role, self._pattern)

    def _role(self) -> iam.IRole:
        """The role of the custom resource's function. The CDK's own may change every log group."""
        own_logs = self._arn(_FUNCTION_LOGS)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "Logs": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=_RETENTION_ACTIONS, resources=[self._arn(self._pattern), own_logs]
                        ),
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[own_logs]
                        ),
                    ]
                )
            },
        )
        _acknowledge(role, self._pattern)
        _acknowledge(role, _FUNCTION_LOGS)
        return role.without_policy_updates()

    def _arn(self, pattern: str) -> str:
        return cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=pattern,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )


def _acknowledge(role: iam.Role, pattern: str) -> None:
    name = _in_findings(cdk.Stack.of(role).resolve(pattern))
    resource = f"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:{name}"
    acknowledge(role, {f"IAM5[Resource::{resource}]": "AWS services choose these names on creation."})


def _in_findings(name: Any) -> str:
    """The name as cdk-nag writes it, with `<LogicalId>` in place of a reference."""
    match name:
        case {"Fn::Join": [_, parts]}:
            return "".join(map(_in_findings, parts))
        case {"Ref": logical_id}:
            return f"<{logical_id}>"
        case _:
            return str(name)
