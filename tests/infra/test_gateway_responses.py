import json
from typing import Any

import botocore.session
import pytest

from tests.infra.conftest import Templates, synthesize
from tests.infra.endpoints import model

POOL = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbCdEfGhI"
AUTH: dict[str, Any] = {
    "api_key": {"type": "api_key"},
    "iam": {"type": "iam"},
    "cognito": {"type": "cognito", "user_pool_arn": POOL},
}
FOR_EVERY_CALLER = {
    "THROTTLED": (429, "too_many_requests"),
    "QUOTA_EXCEEDED": (429, "too_many_requests"),
    "REQUEST_TOO_LARGE": (413, "payload_too_large"),
    "WAF_FILTERED": (403, "forbidden"),
    "RESOURCE_NOT_FOUND": (404, "route_not_found"),
    "BAD_REQUEST_BODY": (400, "malformed_request"),
    "BAD_REQUEST_PARAMETERS": (400, "malformed_request"),
    "INTEGRATION_FAILURE": (500, "internal"),
    "INTEGRATION_TIMEOUT": (500, "internal"),
    "AUTHORIZER_FAILURE": (500, "internal"),
    "API_CONFIGURATION_ERROR": (500, "internal"),
}
BY_AUTH = {
    "api_key": {"ACCESS_DENIED": (403, "forbidden"), "INVALID_API_KEY": (403, "forbidden")},
    "iam": {
        "MISSING_AUTHENTICATION_TOKEN": (403, "forbidden"),
        "INVALID_SIGNATURE": (403, "forbidden"),
        "EXPIRED_TOKEN": (403, "forbidden"),
        "ACCESS_DENIED": (403, "forbidden"),
    },
    "cognito": {"UNAUTHORIZED": (401, "unauthorized"), "ACCESS_DENIED": (403, "forbidden")},
}
SERVER_ERRORS = {
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
}
"""The response types whose default is DEFAULT_5XX."""


@pytest.fixture(scope="module")
def stages() -> dict[str, Templates]:
    """A stage for each kind of authentication."""
    return {kind: synthesize({"models": [model()], "api": {"auth": auth}}) for kind, auth in AUTH.items()}


def responses(templates: Templates) -> dict[str, Any]:
    """The error responses by type; types without one of their own have that of their default."""
    found = templates.api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    own = {each["Properties"]["ResponseType"]: each["Properties"] for each in found}
    every = (
        botocore.session.get_session().get_service_model("apigateway").shape_for("GatewayResponseType").enum
    )
    assert set(own) <= set(every)
    return {
        kind: own.get(kind, own["DEFAULT_5XX" if kind in SERVER_ERRORS else "DEFAULT_4XX"]) for kind in every
    }


def problem_of(response: Any) -> Any:
    return json.loads(response["ResponseTemplates"]["application/json"])


@pytest.mark.parametrize("kind", AUTH)
def test_every_error_of_api_gateway_is_a_problem_document(stages: dict[str, Templates], kind: str) -> None:
    for response in responses(stages[kind]).values():
        problem = problem_of(response)
        assert response["StatusCode"] == str(problem["status"])
        assert problem["request_id"] == "$context.requestId"
        assert problem["detail"].endswith(".")
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"


@pytest.mark.parametrize("kind", AUTH)
def test_refusals_have_their_status(stages: dict[str, Templates], kind: str) -> None:
    found = responses(stages[kind])
    for refused, (status, code) in {**FOR_EVERY_CALLER, **BY_AUTH[kind]}.items():
        problem = problem_of(found[refused])
        assert (refused, problem["status"], problem["code"]) == (refused, status, code)


def test_an_unsigned_request_is_told_to_sign(stages: dict[str, Templates]) -> None:
    problem = problem_of(responses(stages["iam"])["MISSING_AUTHENTICATION_TOKEN"])
    assert (problem["status"], problem["code"]) == (403, "forbidden")
    assert problem["detail"].startswith("Sign the request with AWS credentials")


def test_requests_without_a_token_are_told_which_one_to_send(stages: dict[str, Templates]) -> None:
    refused = responses(stages["cognito"])["UNAUTHORIZED"]
    assert "a valid id token of the stage's Cognito user pool" in problem_of(refused)["detail"]
    assert refused["ResponseParameters"]["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'"
    auth = {**AUTH["cognito"], "scopes": ["images/generate"]}
    scoped = responses(synthesize({"models": [model()], "api": {"auth": auth}}))["UNAUTHORIZED"]
    assert "access token with one of the scopes images/generate" in problem_of(scoped)["detail"]


def test_clients_that_send_too_many_requests_are_told_when_to_try_again(stages: dict[str, Templates]) -> None:
    name = "gatewayresponse.header.Retry-After"
    waits = {
        kind: response["ResponseParameters"].get(name)
        for kind, response in responses(stages["api_key"]).items()
    }
    assert {kind for kind, seconds in waits.items() if seconds} == {"THROTTLED"}
    assert waits["THROTTLED"] == "'1'"


def cors_of(api: dict[str, Any]) -> dict[str, str]:
    """The headers that concern origins, which all refusals have in common."""
    names = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary")
    found = responses(synthesize({"models": [model()], "api": api}))
    every = [
        {
            name: value
            for name in names
            if (value := response["ResponseParameters"].get(f"gatewayresponse.header.{name}"))
        }
        for response in found.values()
    ]
    assert all(each == every[0] for each in every)
    assert "Access-Control-Allow-Credentials" not in json.dumps(found)
    return every[0]


@pytest.mark.parametrize("kind", AUTH)
def test_a_page_of_the_allowed_origin_reads_every_refusal(kind: str) -> None:
    found = cors_of({"auth": AUTH[kind], "allowed_origins": ["https://images.example.com"]})
    assert found == {
        "Access-Control-Allow-Origin": "'https://images.example.com'",
        "Access-Control-Expose-Headers": "'Retry-After, WWW-Authenticate'",
        "Vary": "'Origin'",
    }


def test_with_several_origins_refusals_name_the_origin_of_the_request() -> None:
    found = cors_of({"allowed_origins": ["https://images.example.com", "http://localhost:5173"]})
    assert found["Access-Control-Allow-Origin"] == "method.request.header.Origin"


def test_without_origins_refusals_name_none() -> None:
    assert cors_of({}) == {}
