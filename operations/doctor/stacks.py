"""Check of the states of a stage's stacks."""

from dataclasses import dataclass

from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed

_BLOCKED = {"DELETE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"}
"""States in which CloudFormation refuses an update, and from which the CDK does not recover by itself."""

_FAILED_CREATIONS = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
"""States in which the CDK deletes a stack first, unless it is protected."""


@dataclass(frozen=True)
class StageStacks:
    """All stacks of the stage are in a state in which they can be deployed."""

    aws: Aws
    stage: str
    name: str = "stacks"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        prefix = f"StableDiffusion-{self.stage}-"
        pages = self.aws.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [each for page in pages for each in page["Stacks"] if each["StackName"].startswith(prefix)]
        blocked = [
            f"{each['StackName']} is {each['StackStatus']}"
            for each in stacks
            if each["StackStatus"] in _BLOCKED
            or (each["StackStatus"] in _FAILED_CREATIONS and each.get("EnableTerminationProtection"))
        ]
        if blocked:
            return failed(
                f"CloudFormation cannot update {', '.join(blocked)}",
                "see docs/recovery.md for the commands",
            )
        states = ", ".join(
            f"{each['StackName'].removeprefix(prefix)} {each['StackStatus']}" for each in stacks
        )
        return passed(states or "none is deployed yet")
