import pytest
from botocore.exceptions import SSOTokenLoadError

from operations.doctor.account import Bootstrap, Credentials
from operations.doctor.aws import ConfiguredAws
from operations.doctor.check import Status, finding_of
from tests.operations.conftest import ACCOUNT, REGION, StubbedAws

IDENTITY = {"Account": ACCOUNT.id, "Arn": ACCOUNT.caller_arn, "UserId": "AIDAEXAMPLE"}
PARAMETER = {"Name": "/cdk-bootstrap/hnb659fds/version"}


def test_account_and_region_are_shown_and_kept(aws: StubbedAws) -> None:
    aws.stub("sts").add_response("get_caller_identity", IDENTITY, {})
    credentials = Credentials(aws)
    finding = credentials.run()
    assert finding.status is Status.PASS
    assert ACCOUNT.id in finding.found
    assert REGION in finding.found
    assert credentials.account == ACCOUNT


def test_a_missing_region_fails(aws: StubbedAws) -> None:
    aws.stub("sts").add_response("get_caller_identity", IDENTITY, {})
    aws.region = None
    credentials = Credentials(aws)
    finding = credentials.run()
    assert (finding.status, finding.found) == (Status.FAIL, "no region is chosen")
    assert credentials.account is None


def test_credentials_that_aws_does_not_know_fail(aws: StubbedAws) -> None:
    aws.stub("sts").add_client_error("get_caller_identity", "ExpiredToken", "expired")
    finding = Credentials(aws).run()
    assert finding.status is Status.FAIL
    assert finding.found == "AWS does not accept the credentials: ExpiredToken"
    assert "aws sso login" in finding.remedy


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("nobody")
def test_without_credentials_it_says_so_and_skips() -> None:
    credentials = Credentials(ConfiguredAws())
    finding = credentials.run()
    assert finding.status is Status.SKIPPED
    assert "Unable to locate credentials" in finding.found
    assert credentials.account is None


@pytest.mark.usefixtures("nobody")
def test_half_an_access_key_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert Credentials(ConfiguredAws()).run().status is Status.SKIPPED


def test_a_profile_that_is_not_there_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    finding = finding_of(Credentials(ConfiguredAws()))
    assert (finding.status, "nobody" in finding.found) == (Status.FAIL, True)


def test_an_ended_sign_in_fails() -> None:
    class SignedOut:
        region = REGION

        def client(self, service: str, region: str | None = None) -> object:
            raise SSOTokenLoadError(error_msg="expired")

    finding = Credentials(SignedOut()).run()
    assert (finding.status, "aws sso login" in finding.remedy) == (Status.FAIL, True)


def test_clients_are_of_the_configured_region() -> None:
    assert ConfiguredAws().region == "us-east-1"
    assert ConfiguredAws().client("ssm").meta.region_name == "us-east-1"
    assert ConfiguredAws().client("ssm", "eu-west-1").meta.region_name == "eu-west-1"


@pytest.mark.parametrize(("version", "status"), [("6", Status.PASS), ("30", Status.PASS), ("5", Status.FAIL)])
def test_bootstrap(aws: StubbedAws, version: str, status: Status) -> None:
    aws.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": version}}, PARAMETER)
    finding = Bootstrap(aws, ACCOUNT).run()
    assert (finding.status, f"version {version}" in finding.found) == (status, True)


def test_an_account_without_bootstrap_is_told_the_command(aws: StubbedAws) -> None:
    aws.stub("ssm").add_client_error("get_parameter", "ParameterNotFound", expected_params=PARAMETER)
    finding = Bootstrap(aws, ACCOUNT).run()
    assert finding.status is Status.FAIL
    assert finding.remedy.endswith("bootstrap aws://123456789012/eu-west-1")


def test_a_bootstrap_that_one_may_not_see_is_skipped(aws: StubbedAws) -> None:
    aws.deny("ssm", "get_parameter")
    assert finding_of(Bootstrap(aws, ACCOUNT)).status is Status.SKIPPED
