"""Check of the domain of Cognito's sign-in page."""

from dataclasses import dataclass

from infra.config import SignInConfig
from infra.config.domain import region_of
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed

_OF_COGNITO = ".amazoncognito.com"


@dataclass(frozen=True)
class SignInPage:
    """The domain belongs to the sign-in page of the stage's user pool."""

    aws: Aws
    sign_in: SignInConfig
    user_pool_arn: str
    name: str = "sign-in page"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        domain, pool = self.sign_in.domain, self.user_pool_arn.rpartition("/")[2]
        # Cognito knows a name of its own by the first part.
        looked_up = domain.partition(".")[0] if domain.endswith(_OF_COGNITO) else domain
        cognito = self.aws.client("cognito-idp", region_of(self.user_pool_arn))
        found = cognito.describe_user_pool_domain(Domain=looked_up)["DomainDescription"]
        if found.get("UserPoolId") != pool:
            return failed(
                f"{domain} is not a domain of the user pool {pool} of api.auth",
                "name the pool's domain in web.sign_in.domain (Cognito, Branding, Domain), or add one to it",
            )
        status = found.get("Status")
        if status != "ACTIVE":
            return failed(f"{domain} is {status}, not ACTIVE", "wait until Cognito has set it up")
        return passed(f"{domain} is that of the user pool {pool}")
