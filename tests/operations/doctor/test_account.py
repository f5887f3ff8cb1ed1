from dataclasses import replace

import pytest
from botocore.exceptions import SSOTokenLoadError

from operations.doctor.account import Bootstrap, Credentials
from operations.doctor.aws import ConfiguredAws
from operations.doctor.check import Status, run_check
from tests.operations.doctor.conftest import ACCOUNT, REGION, StubbedAws

IDENTITY = {"Account": ACCOUNT.id, "Arn": ACCOUNT.caller_arn, "UserId": "AIDAEXAMPLE"}
PARAMETER = {"Name": "/cdk-bootstrap/hnb659fds/version"}


def test_the_account_and_region_are_reported_and_stored(aws: StubbedAws) -> None:
    aws.stub("sts").add_response("get_caller_identity", IDENTITY, {})
    credentials = Credentials(aws)
    result = credentials.run()
    assert result.status is Status.PASS
    assert ACCOUNT.id in result.message
    assert REGION in result.message
    assert credentials.account == ACCOUNT


def test_a_missing_region_fails(aws: StubbedAws) -> None:
    aws.stub("sts").add_response("get_caller_identity", IDENTITY, {})
    aws.region = None
    credentials = Credentials(aws)
    result = credentials.run()
    assert (result.status, result.message) == (Status.FAIL, "no region is configured")
    assert credentials.account is None


def test_credentials_of_another_account_than_the_stages_fail(aws: StubbedAws) -> None:
    aws.stub("sts").add_response("get_caller_identity", IDENTITY, {})
    credentials = Credentials(aws, expected="210987654321")
    result = credentials.run()
    assert (result.status, credentials.account) == (Status.FAIL, None)
    assert result.message == (
        "the credentials belong to account 123456789012, but environment.account of the stage is 210987654321"
    )


def test_invalid_credentials_fail(aws: StubbedAws) -> None:
    aws.stub("sts").add_client_error("get_caller_identity", "ExpiredToken", "expired")
    result = Credentials(aws).run()
    assert result.status is Status.FAIL
    assert result.message == "AWS rejected the credentials: ExpiredToken"
    assert "aws sso login" in result.remedy


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("without_credentials")
def test_without_credentials_the_check_is_skipped() -> None:
    credentials = Credentials(ConfiguredAws())
    result = credentials.run()
    assert result.status is Status.SKIPPED
    assert "Unable to locate credentials" in result.message
    assert credentials.account is None


@pytest.mark.usefixtures("without_credentials")
def test_an_access_key_without_its_secret_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert Credentials(ConfiguredAws()).run().status is Status.SKIPPED


def test_a_missing_profile_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    result = run_check(Credentials(ConfiguredAws()))
    assert (result.status, "missing" in result.message) == (Status.FAIL, True)


def test_an_expired_sso_session_fails() -> None:
    class ExpiredSession:
        region = REGION

        def client(self, service: str, region: str | None = None) -> object:
            raise SSOTokenLoadError(error_msg="expired")

    result = Credentials(ExpiredSession()).run()
    assert (result.status, "aws sso login" in result.remedy) == (Status.FAIL, True)


def test_clients_use_the_configured_region() -> None:
    assert ConfiguredAws().region == "us-east-1"
    assert ConfiguredAws().client("ssm").meta.region_name == "us-east-1"
    assert ConfiguredAws().in_region("eu-west-1").region == "eu-west-1"
    assert ConfiguredAws().client("ssm", "eu-west-1").meta.region_name == "eu-west-1"


@pytest.mark.parametrize(("version", "status"), [("6", Status.PASS), ("30", Status.PASS), ("5", Status.FAIL)])
def test_the_version_of_the_bootstrap_stack(aws: StubbedAws, version: str, status: Status) -> None:
    aws.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": version}}, PARAMETER)
    result = Bootstrap(aws, ACCOUNT).run()
    assert (result.status, f"version {version}" in result.message) == (status, True)


def test_a_missing_bootstrap_stack_fails_with_the_command_as_the_remedy(aws: StubbedAws) -> None:
    aws.stub("ssm").add_client_error("get_parameter", "ParameterNotFound", expected_params=PARAMETER)
    result = Bootstrap(aws, ACCOUNT).run()
    assert result.status is Status.FAIL
    assert result.remedy.endswith("bootstrap aws://123456789012/eu-west-1")


def test_the_bootstrap_stack_of_another_qualifier_is_checked(aws: StubbedAws) -> None:
    parameter = {"Name": "/cdk-bootstrap/team1/version"}
    aws.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": "30"}}, parameter)
    assert Bootstrap(aws, replace(ACCOUNT, qualifier="team1")).run().status is Status.PASS


def test_without_permission_the_bootstrap_check_is_skipped(aws: StubbedAws) -> None:
    aws.deny("ssm", "get_parameter")
    assert run_check(Bootstrap(aws, ACCOUNT)).status is Status.SKIPPED
