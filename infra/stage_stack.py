"""The base of all stacks: the account, region, tags and permissions boundary of the stage."""

import aws_cdk as cdk
from constructs import Construct

from infra.config import DeploymentConfig


class StageStack(cdk.Stack):
    """A stack in the stage's environment. Its resources have the stage's tags, and its roles the boundary."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        termination_protection: bool = False,
    ) -> None:
        environment, boundary = config.environment, config.permissions_boundary
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(account=environment.account, region=environment.region)
            if environment
            else None,
            permissions_boundary=cdk.PermissionsBoundary.from_name(boundary) if boundary else None,
            termination_protection=termination_protection,
        )
        for key, value in config.tags.items():
            cdk.Tags.of(self).add(key, value)
