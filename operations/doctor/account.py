"""The account: who asks, in which region, and whether the CDK has been there."""

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
from operations.doctor.check import Finding, error_code, failed, passed, skipped
from operations.versions import BOOTSTRAP, BOOTSTRAP_QUALIFIER, CDK_CLI

_SIGN_IN = "sign in: aws sso login, or aws configure for an access key"


@dataclass(frozen=True)
class Account:
    """Where a deployment goes, and in whose name.

    Attributes:
        caller_arn: the ARN of the user, or of the session of a role.
    """

    id: str
    region: str
    caller_arn: str

    @property
    def partition(self) -> str:
        """The part of the ARNs between their first colons, such as aws."""
        return self.caller_arn.split(":")[1]


class Credentials:
    """There are credentials, AWS knows them, and a region is chosen."""

    name = "credentials"

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.account: Account | None = None
        """Known once the check has passed."""

    def run(self) -> Finding:
        """See `Check.run`."""
        try:
            identity = self._aws.client("sts").get_caller_identity()
        except (NoCredentialsError, PartialCredentialsError) as error:
            return skipped(f"no account was looked at: {error}. To look at one too, {_SIGN_IN}")
        except (CredentialRetrievalError, SSOError, TokenRetrievalError) as error:
            return failed(str(error), _SIGN_IN)
        except ClientError as error:
            return failed(f"AWS does not accept the credentials: {error_code(error)}", _SIGN_IN)
        region = self._aws.region
        if region is None:
            return failed(
                "no region is chosen", "aws configure set region REGION, or export AWS_REGION=REGION"
            )
        self.account = Account(identity["Account"], region, identity["Arn"])
        return passed(f"{identity['Arn']} in account {identity['Account']}, region {region}")


@dataclass(frozen=True)
class Bootstrap:
    """The CDK's bootstrap stack is in the account and region, and not too old."""

    aws: Aws
    account: Account
    name: str = "CDK bootstrap"

    def run(self) -> Finding:
        """See `Check.run`."""
        parameter = f"/cdk-bootstrap/{BOOTSTRAP_QUALIFIER}/version"
        ssm = self.aws.client("ssm")
        remedy = f"npx aws-cdk@{CDK_CLI} bootstrap aws://{self.account.id}/{self.account.region}"
        try:
            version = int(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            return failed(f"{self.account.region} has none: the parameter {parameter} is missing", remedy)
        if version < BOOTSTRAP:
            return failed(f"version {version} is older than {BOOTSTRAP}", remedy)
        return passed(f"version {version}; {BOOTSTRAP} or newer is needed")
