"""The sign-in of the deployed page, and the user pool's client for it."""

from typing import Any

import pytest
from aws_cdk import App, Stack

from contract.page import ApiKeySignIn, CognitoSignIn, PageConfig
from infra.config import ApiConfig, WebConfig
from infra.web_sign_in import page_config
from tests.infra.conftest import SMALL, Templates, only, synthesize, text

POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_abc"
SIGN_IN = {"domain": "team.auth.us-east-1.amazoncognito.com"}
CLIENT = "AWS::Cognito::UserPoolClient"


def api(**settings: Any) -> ApiConfig:
    return ApiConfig.model_validate({"auth": {"type": "cognito", "user_pool_arn": POOL, **settings}})


def web(**settings: Any) -> WebConfig:
    return WebConfig.model_validate({"sign_in": {**SIGN_IN, **settings}})


@pytest.fixture(scope="module")
def deployed() -> Templates:
    stage = {"api": {"auth": {"type": "cognito", "user_pool_arn": POOL}}, "web": {"sign_in": SIGN_IN}}
    return synthesize(SMALL | stage)


def test_visitors_enter_an_api_key_without_cognito() -> None:
    stack = Stack(App(), "Stack")
    config = page_config(stack, ApiConfig(), WebConfig(), url="https://page.example")
    assert config == PageConfig(auth=ApiKeySignIn())


@pytest.mark.parametrize(
    ("scopes", "requested", "token"),
    [
        ((), ("openid",), "id"),
        (("images/write", "openid"), ("openid", "images/write"), "access"),
    ],
)
def test_the_page_asks_for_the_token_that_the_api_accepts(
    scopes: tuple[str, ...], requested: tuple[str, ...], token: str
) -> None:
    stack = Stack(App(), "Stack")
    config = page_config(stack, api(scopes=scopes), web(client_id="existing1"), url="https://page.example")
    assert config.auth == CognitoSignIn.model_validate(
        {
            "domain": f"https://{SIGN_IN['domain']}",
            "client_id": "existing1",
            "scopes": requested,
            "token": token,
        }
    )
    assert stack.node.try_find_child("UserPool") is None


def test_the_stack_creates_a_client_without_a_secret_for_the_pages_address_only(deployed: Templates) -> None:
    template = deployed.by_stack["Web"]
    client = only(template, CLIENT)
    (distribution,) = template.find_resources("AWS::CloudFront::Distribution")
    address = {"Fn::Join": ["", ["https://", {"Fn::GetAtt": [distribution, "DomainName"]}, "/"]]}
    assert client["UserPoolId"] == "us-east-1_abc"
    assert client["CallbackURLs"] == client["LogoutURLs"] == [address]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["AllowedOAuthScopes"] == ["openid"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["RefreshTokenValidity"] == 720
    assert client["TokenValidityUnits"] == {"RefreshToken": "minutes"}


def test_the_client_gets_the_scopes_of_the_api() -> None:
    stack = Stack(App(), "Stack")
    page_config(stack, api(scopes=["images/write"]), web(), url="https://page.example")
    (created,) = (each for each in stack.node.find_all() if each.node.id == "PageClient")
    resource: Any = created.node.default_child
    assert stack.resolve(resource.allowed_o_auth_scopes) == ["openid", "images/write"]


def test_the_page_may_connect_to_the_sign_in_page(deployed: Templates) -> None:
    policy = only(deployed.by_stack["Web"], "AWS::CloudFront::ResponseHeadersPolicy")
    config = text(policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"])
    connections = config.partition("connect-src")[2].partition(";")[0]
    assert f"https://{SIGN_IN['domain']}" in connections
    assert config.count(SIGN_IN["domain"]) == 1


def test_the_uploaded_configuration_gets_the_id_of_the_client(deployed: Templates) -> None:
    template = deployed.by_stack["Web"]
    (client,) = template.find_resources(CLIENT)
    deployments = template.find_resources("Custom::CDKBucketDeployment").values()
    (markers,) = (
        marker for each in deployments for marker in each["Properties"].get("SourceMarkers", []) if marker
    )
    assert list(markers.values()) == [{"Fn::Join": ["", ['"', {"Ref": client}, '"']]}]
