"""Checks of the AWS account: credentials, region and the CDK's bootstrap stack."""

from dataclasses import dataclass

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, error_code, failed, passed, skipped
from operations.versions import BOOTSTRAP, BOOTSTRAP_QUALIFIER, CDK_CLI

_SIGN_IN = "sign in: aws sso login, or aws configure for an access key"


@dataclass(frozen=True)
class Account:
    """The account and region of a deployment, and the caller.

    Attributes:
        caller_arn: the ARN of the IAM user or of the role session.
        qualifier: the part of the names of the bootstrap stack's resources that cdk.json may change.
    """

    id: str
    region: str
    caller_arn: str
    qualifier: str = BOOTSTRAP_QUALIFIER

    @property
    def partition(self) -> str:
        """The partition of the account's ARNs, such as aws."""
        return self.caller_arn.split(":")[1]


class Credentials:
    """Valid credentials of the stage's account and a region are configured.

    Attributes:
        account: the account; None until the check has passed.
    """

    name = "credentials"

    def __init__(
        self, aws: Aws, *, expected: str | None = None, qualifier: str = BOOTSTRAP_QUALIFIER
    ) -> None:
        """Checks nothing yet.

        Args:
            aws: the services.
            expected: the id of the account that the stage belongs to; None accepts any.
            qualifier: that of the bootstrap stack.
        """
        self._aws = aws
        self._expected = expected
        self._qualifier = qualifier
        self.account: Account | None = None

    def run(self) -> CheckResult:
        """See `Check.run`."""
        try:
            identity = self._aws.client("sts").get_caller_identity()
        except (NoCredentialsError, PartialCredentialsError) as error:
            return skipped(f"no account was checked: {error}. To include an account, {_SIGN_IN}")
        except (CredentialRetrievalError, SSOError, TokenRetrievalError) as error:
            return failed(str(error), _SIGN_IN)
        except ClientError as error:
            return failed(f"AWS rejected the credentials: {error_code(error)}", _SIGN_IN)
        region = self._aws.region
        if region is None:
            return failed(
                "no region is configured", "aws configure set region REGION, or export AWS_REGION=REGION"
            )
        if self._expected not in (None, identity["Account"]):
            return failed(
                f"the credentials belong to account {identity['Account']}, but environment.account of the "
                f"stage is {self._expected}",
                "use credentials of that account, or correct environment in cdk.json",
            )
        self.account = Account(identity["Account"], region, identity["Arn"], self._qualifier)
        return passed(f"{identity['Arn']} in account {identity['Account']}, region {region}")


@dataclass(frozen=True)
class Bootstrap:
    """The CDK's bootstrap stack exists in the account and region in a supported version."""

    aws: Aws
    account: Account
    name: str = "CDK bootstrap"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        parameter = f"/cdk-bootstrap/{self.account.qualifier}/version"
        ssm = self.aws.client("ssm")
        remedy = f"npx aws-cdk@{CDK_CLI} bootstrap aws://{self.account.id}/{self.account.region}"
        try:
            version = int(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            return failed(
                f"{self.account.region} has no bootstrap stack: the SSM parameter {parameter} is missing",
                remedy,
            )
        if version < BOOTSTRAP:
            return failed(f"version {version} is older than the required version {BOOTSTRAP}", remedy)
        return passed(f"version {version}; required is {BOOTSTRAP} or newer")
