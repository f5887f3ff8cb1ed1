"""Check of the caller's permission to assume the roles of the CDK's bootstrap stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed, skipped


@dataclass(frozen=True)
class DeploymentRoles:
    """The caller may assume the bootstrap stack's roles, with which the CDK does everything else.

    Attributes:
        kinds: kinds of roles, such as deploy.
    """

    aws: Aws
    account: Account
    kinds: tuple[str, ...]
    name: str = "IAM permissions"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        if self.account.caller_arn.endswith(":root"):
            return skipped(
                "not checked, because the root user cannot assume the CDK's roles: use an IAM user or role"
            )
        iam = self.aws.client("iam")
        source = _identity(iam, self.account)
        missing = [role for role in self._roles() if not _may_assume(iam, source, role)]
        if missing:
            return failed(
                f"{source} may not sts:AssumeRole {', '.join(missing)}",
                "ask an administrator for this permission",
            )
        return passed(f"may assume the CDK's roles: {', '.join(self.kinds)}")

    def _roles(self) -> Iterable[str]:
        account = self.account
        prefix = f"arn:{account.partition}:iam::{account.id}:role/cdk-{account.qualifier}"
        return (f"{prefix}-{kind}-role-{account.id}-{account.region}" for kind in self.kinds)


def _identity(iam: Any, account: Account) -> str:
    """The ARN of the IAM user or role: policies are attached to a role, not to its sessions."""
    kind, _, rest = account.caller_arn.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return account.caller_arn
    role = iam.get_role(RoleName=rest.split("/")[0])  # a session's ARN does not contain the role's path
    return str(role["Role"]["Arn"])


def _may_assume(iam: Any, source: str, role: str) -> bool:
    response = iam.simulate_principal_policy(
        PolicySourceArn=source, ActionNames=["sts:AssumeRole"], ResourceArns=[role]
    )
    return all(result["EvalDecision"] == "allowed" for result in response["EvaluationResults"])
