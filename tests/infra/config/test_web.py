"""The settings of the page: when a stage has one, and what stands against it."""

from typing import Any

import pytest

from infra.config import DeploymentConfig, InvalidConfigurationError, WebConfig
from tests.infra.config.stages import MODEL

POOL = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc"
COGNITO = {"auth": {"type": "cognito", "user_pool_arn": POOL}}
IAM = {"auth": {"type": "iam"}}
PRIVATE = {"vpc_endpoint_ids": ["vpce-01234567"]}
SIGN_IN = {"domain": "team.auth.eu-central-1.amazoncognito.com"}
DOMAIN = {
    "name": "page.example.com",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d",
}
CHINA = {"account": "123456789012", "region": "cn-north-1"}
GOVERNMENT = {"account": "123456789012", "region": "us-gov-west-1"}
HERE = {"account": "123456789012", "region": "eu-central-1"}


def read(**settings: Any) -> DeploymentConfig:
    return DeploymentConfig.for_stage("dev", {"dev": {"models": [MODEL], **settings}})


def test_a_stage_has_a_page_by_default_and_null_turns_it_off() -> None:
    assert read().page == WebConfig()
    assert read(environment=HERE).page == WebConfig()
    assert read(web=None).page is None
    assert read(web={"domain": DOMAIN}).page == WebConfig.model_validate({"domain": DOMAIN})


@pytest.mark.parametrize(
    "settings",
    [{"api": IAM}, {"api": PRIVATE}, {"api": COGNITO}, {"environment": CHINA}, {"environment": GOVERNMENT}],
    ids=["iam", "private", "cognito without its page", "china", "government"],
)
def test_a_stage_that_does_not_ask_for_a_page_has_none_where_it_could_not_work(
    settings: dict[str, Any],
) -> None:
    assert read(**settings).page is None
    assert read(web=None, **settings).page is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"api": IAM}, "api.auth is of the type iam, and a browser has no AWS credentials"),
        ({"api": PRIVATE}, "api.vpc_endpoint_ids makes the API private, and CloudFront cannot reach it"),
        ({"api": COGNITO}, "web.sign_in is missing: with api.auth of the type cognito visitors sign in on"),
        ({"environment": CHINA}, "environment.region is cn-north-1, and the page needs CloudFront"),
        ({"environment": GOVERNMENT}, "environment.region is us-gov-west-1, and the page needs CloudFront"),
    ],
)
def test_a_stage_that_asks_for_a_page_that_cannot_work_is_refused_with_the_remedies(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidConfigurationError) as caught:
        read(web={}, **settings)
    assert f"stages.dev: the page cannot work: {message}" in str(caught.value)
    assert str(caught.value).endswith("or set web to null")


def test_a_sign_in_page_without_cognito_is_refused() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"web\.sign_in is for api.auth of the type cognito"):
        read(web={"sign_in": SIGN_IN})


def test_the_page_and_the_api_cannot_have_the_same_name() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"are both page\.example\.com; give the page"):
        read(web={"domain": DOMAIN}, api={"domain": DOMAIN})
    assert read(web={"domain": DOMAIN}, api={"domain": {**DOMAIN, "name": "api.example.com"}}).page


@pytest.mark.parametrize("place", [{"region": "us-west-2"}, {"account": "210987654321"}])
def test_the_client_of_a_user_pool_elsewhere_must_be_named(place: dict[str, str]) -> None:
    environment = HERE | place
    with pytest.raises(InvalidConfigurationError) as caught:
        read(web={"sign_in": SIGN_IN}, api=COGNITO, environment=environment)
    assert (
        "web.sign_in.client_id is missing: the user pool is in account 123456789012 and region eu-central-1"
    ) in str(caught.value)
    assert read(web={"sign_in": {**SIGN_IN, "client_id": "abc1"}}, api=COGNITO, environment=environment).page
    assert read(web={"sign_in": SIGN_IN}, api=COGNITO, environment=HERE).page
    assert read(web={"sign_in": SIGN_IN}, api=COGNITO).page


def test_a_certificate_that_cloudfront_cannot_use_is_refused() -> None:
    arn = DOMAIN["certificate_arn"].replace("us-east-1", "eu-central-1")
    with pytest.raises(InvalidConfigurationError) as caught:
        read(web={"domain": {**DOMAIN, "certificate_arn": arn}})
    assert (
        "stages.dev.web.domain.certificate_arn: the certificate is in eu-central-1, and CloudFront uses "
        "those in us-east-1 only; request one there"
    ) in str(caught.value)


@pytest.mark.parametrize(
    "web",
    [
        {"domain": {**DOMAIN, "name": "https://page.example.com"}},
        {"domain": {**DOMAIN, "certificate_arn": "arn:aws:iam::123456789012:server-certificate/name"}},
        {"sign_in": {"domain": "https://team.auth.eu-central-1.amazoncognito.com"}},
        {"sign_in": {"domain": "team.example.com; script-src *"}},
        {"sign_in": {**SIGN_IN, "client_id": "a b"}},
        {"colour": "blue"},
    ],
)
def test_other_invalid_settings_are_refused(web: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigurationError, match=r"stages\.dev\.web\."):
        read(web=web, api=COGNITO)
