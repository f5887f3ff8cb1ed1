import re

import pytest
import yaml

from operations.doctor.api_gateway_logs import ApiGatewayLogs
from operations.doctor.check import Status, run_check
from tests.conftest import ROOT
from tests.operations.doctor.conftest import StubbedAws

ARN = "arn:aws:iam::123456789012:role/path/ApiGatewayLogs-Role-ABC"


def account(aws: StubbedAws, arn: str | None) -> None:
    response = {} if arn is None else {"cloudwatchRoleArn": arn}
    aws.stub("apigateway").add_response("get_account", response)


def test_a_role_that_exists_passes_without_regard_to_its_stack(aws: StubbedAws) -> None:
    account(aws, ARN)
    role = {
        "RoleName": "ApiGatewayLogs-Role-ABC",
        "RoleId": "AROA0123456789ABCDEF",
        "Arn": ARN,
        "Path": "/path/",
        "CreateDate": "2026-01-01T00:00:00Z",
    }
    aws.stub("iam").add_response("get_role", {"Role": role}, {"RoleName": "ApiGatewayLogs-Role-ABC"})
    result = ApiGatewayLogs(aws).run()
    assert (result.status, "ApiGatewayLogs-Role-ABC" in result.message) == (Status.PASS, True)


@pytest.mark.parametrize("arn", [None, ARN])
def test_an_account_without_a_role_fails_with_the_command_that_creates_it(
    aws: StubbedAws, arn: str | None
) -> None:
    account(aws, arn)
    if arn is not None:
        aws.stub("iam").add_client_error("get_role", "NoSuchEntity", "deleted with its stack")
    result = ApiGatewayLogs(aws).run()
    assert result.status is Status.FAIL
    (template,) = re.findall(r"--template-file (\S+)", result.remedy)
    assert "AWS::ApiGateway::Account" in {
        each["Type"] for each in yaml.safe_load((ROOT / template).read_text())["Resources"].values()
    }


def test_without_permission_the_role_is_skipped(aws: StubbedAws) -> None:
    aws.deny("apigateway", "get_account")
    assert run_check(ApiGatewayLogs(aws)).status is Status.SKIPPED
