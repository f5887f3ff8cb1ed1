"""Check of the role with which API Gateway writes the logs of the account's APIs."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, error_code, failed, passed

_TEMPLATE = "infra/api_gateway_logs.yaml"
_REMEDY = (
    "once per account and region: aws cloudformation deploy --stack-name ApiGatewayLogs "
    f"--template-file {_TEMPLATE} --capabilities CAPABILITY_IAM"
)


@dataclass(frozen=True)
class ApiGatewayLogs:
    """The account has a role for API Gateway's logs in the region. It belongs to no stage."""

    aws: Aws
    name: str = "API Gateway logs"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        arn = self.aws.client("apigateway").get_account().get("cloudwatchRoleArn")
        if not arn:
            return failed("the account has no role with which API Gateway writes logs", _REMEDY)
        name = arn.rpartition("/")[2]
        try:
            self.aws.client("iam").get_role(RoleName=name)
        except ClientError as error:
            if error_code(error) != "NoSuchEntity":
                raise
            return failed(f"API Gateway writes logs with the role {name}, which does not exist", _REMEDY)
        return passed(f"API Gateway writes logs with the role {name}")
