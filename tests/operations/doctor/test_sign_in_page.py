from typing import Any

import pytest

from infra.config import SignInConfig
from operations.doctor.check import CheckResult, Status, run_check
from operations.doctor.sign_in_page import SignInPage
from tests.operations.doctor.conftest import StubbedAws

POOL = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc"
NAME = "team.auth.eu-central-1.amazoncognito.com"


def check(aws: StubbedAws, domain: str = NAME) -> SignInPage:
    return SignInPage(aws, SignInConfig(domain=domain), POOL)


def result_for(
    aws: StubbedAws, description: dict[str, Any], *, domain: str = NAME, looked_up: str = "team"
) -> CheckResult:
    response = {"DomainDescription": description}
    aws.stub("cognito-idp").add_response("describe_user_pool_domain", response, {"Domain": looked_up})
    return check(aws, domain).run()


@pytest.mark.parametrize(
    ("domain", "looked_up"), [(NAME, "team"), ("login.example.com", "login.example.com")]
)
def test_the_domain_of_the_user_pool_passes(aws: StubbedAws, domain: str, looked_up: str) -> None:
    pool = {"UserPoolId": "eu-central-1_abc", "Status": "ACTIVE"}
    assert result_for(aws, pool, domain=domain, looked_up=looked_up).status is Status.PASS
    assert aws.regions["cognito-idp"] == "eu-central-1"


@pytest.mark.parametrize("description", [{}, {"UserPoolId": "eu-central-1_other", "Status": "ACTIVE"}])
def test_another_domain_fails(aws: StubbedAws, description: dict[str, Any]) -> None:
    result = result_for(aws, description)
    assert result.status is Status.FAIL
    assert f"{NAME} is not a domain of the user pool eu-central-1_abc" in result.message
    assert "web.sign_in.domain" in result.remedy


def test_a_domain_that_is_not_set_up_yet_fails(aws: StubbedAws) -> None:
    result = result_for(aws, {"UserPoolId": "eu-central-1_abc", "Status": "CREATING"})
    assert (result.status, "is CREATING, not ACTIVE" in result.message) == (Status.FAIL, True)


def test_without_permission_the_domain_is_skipped(aws: StubbedAws) -> None:
    aws.deny("cognito-idp", "describe_user_pool_domain")
    assert run_check(check(aws)).status is Status.SKIPPED
