import json

import pytest

from tests.infra.conftest import Templates


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("INVALID_API_KEY", "403", "forbidden"),
        ("MISSING_AUTHENTICATION_TOKEN", "404", "route_not_found"),
        ("THROTTLED", "429", "too_many_requests"),
        ("QUOTA_EXCEEDED", "429", "too_many_requests"),
        ("REQUEST_TOO_LARGE", "413", "payload_too_large"),
        ("DEFAULT_5XX", "500", "internal"),
    ],
)
def test_api_gateways_own_errors_are_problem_documents(
    small: Templates, kind: str, status: str, code: str
) -> None:
    found = small.api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    responses = {each["Properties"]["ResponseType"]: each["Properties"] for each in found}
    response = responses[kind]
    problem = json.loads(response["ResponseTemplates"]["application/json"])
    assert (response["StatusCode"], str(problem["status"]), problem["code"]) == (status, status, code)
    assert problem["request_id"] == "$context.requestId"
    headers = response["ResponseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"


def test_clients_that_send_too_many_requests_are_told_when_to_try_again(small: Templates) -> None:
    found = small.api.find_resources("AWS::ApiGateway::GatewayResponse").values()
    waits = {
        each["Properties"]["ResponseType"]: each["Properties"]["ResponseParameters"].get(
            "gatewayresponse.header.Retry-After"
        )
        for each in found
    }
    assert {kind for kind, seconds in waits.items() if seconds} == {"THROTTLED"}
    assert waits["THROTTLED"] == "'1'"
