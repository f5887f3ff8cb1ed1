"""What the caller may do: to become the roles that the CDK deploys with."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from operations.doctor.account import Account
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, failed, passed, skipped
from operations.versions import BOOTSTRAP_QUALIFIER


@dataclass(frozen=True)
class DeploymentRoles:
    """The caller may assume the bootstrap stack's roles: the CDK does everything else in their names.

    Attributes:
        kinds: of role, such as deploy.
    """

    aws: Aws
    account: Account
    kinds: tuple[str, ...]
    name: str = "IAM permissions"

    def run(self) -> Finding:
        """See `Check.run`."""
        if self.account.caller_arn.endswith(":root"):
            return skipped(
                "the root user cannot assume the roles that the CDK deploys with: use an IAM user or role"
            )
        iam = self.aws.client("iam")
        source = _identity(iam, self.account)
        missing = [role for role in self._roles() if not _may_assume(iam, source, role)]
        if missing:
            return failed(
                f"{source} may not sts:AssumeRole {', '.join(missing)}",
                "have an administrator allow it, in the IAM console or with a permission set",
            )
        return passed(f"may assume the CDK's roles: {', '.join(self.kinds)}")

    def _roles(self) -> Iterable[str]:
        account = self.account
        prefix = f"arn:{account.partition}:iam::{account.id}:role/cdk-{BOOTSTRAP_QUALIFIER}"
        return (f"{prefix}-{kind}-role-{account.id}-{account.region}" for kind in self.kinds)


def _identity(iam: Any, account: Account) -> str:
    """The user's or role's own ARN: policies belong to it, not to its sessions."""
    kind, _, rest = account.caller_arn.split(":", 5)[5].partition("/")
    if kind != "assumed-role":
        return account.caller_arn
    role = iam.get_role(RoleName=rest.split("/")[0])  # asked for: a session's ARN leaves the role's path out
    return str(role["Role"]["Arn"])


def _may_assume(iam: Any, source: str, role: str) -> bool:
    answer = iam.simulate_principal_policy(
        PolicySourceArn=source, ActionNames=["sts:AssumeRole"], ResourceArns=[role]
    )
    return all(result["EvalDecision"] == "allowed" for result in answer["EvaluationResults"])
