from typing import Any

import pytest

from infra.config import InvalidConfigurationError
from tests.infra.conftest import Templates, only, synthesize
from tests.infra.endpoints import model

IDS = ["vpce-0123456789abcdef0", "vpce-01234567"]


def private(**api: Any) -> Templates:
    return synthesize({"models": [model()], "api": {"vpc_endpoint_ids": IDS, **api}})


def statements(templates: Templates) -> dict[str, Any]:
    """The statements of the API's policy by effect."""
    policy = only(templates.api, "AWS::ApiGateway::RestApi")["Policy"]
    return {each["Effect"]: each for each in policy["Statement"]}


def test_only_the_vpc_endpoints_reach_a_private_api() -> None:
    templates = private()
    endpoint = only(templates.api, "AWS::ApiGateway::RestApi")["EndpointConfiguration"]
    assert endpoint == {"Types": ["PRIVATE"], "VpcEndpointIds": IDS}
    denied = statements(templates)["Deny"]
    assert denied["Condition"] == {"StringNotEquals": {"aws:SourceVpce": IDS}}
    assert (denied["Principal"], denied["Resource"]) == ({"AWS": "*"}, "execute-api:/*")
    allowed = statements(templates)["Allow"]
    assert (allowed["Action"], allowed["Resource"]) == ("execute-api:Invoke", "execute-api:/*")


def test_with_iam_the_policy_of_a_private_api_allows_public_methods_only() -> None:
    """A permission in the policy of the API would replace those of its callers."""
    allowed = statements(private(auth={"type": "iam"}))["Allow"]["Resource"]
    assert set(allowed) == {
        f"execute-api:/*/{method}/v1/{path}"
        for method in ("GET", "HEAD", "OPTIONS")
        for path in ("docs", "openapi.json")
    }


def test_with_iam_the_policy_of_a_private_api_allows_preflights_of_pages_on_other_origins() -> None:
    templates = private(auth={"type": "iam"}, allowed_origins=["https://images.example.com"])
    allowed = statements(templates)["Allow"]["Resource"]
    assert len(allowed) == 8
    assert {"execute-api:/*/OPTIONS/v1/*", "execute-api:/*/OPTIONS/*"} <= {*allowed}


def test_other_apis_are_public(small: Templates) -> None:
    rest_api = only(small.api, "AWS::ApiGateway::RestApi")
    assert rest_api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "Policy" not in rest_api


def test_a_private_api_with_a_domain_is_refused() -> None:
    domain = {
        "name": "images.example.com",
        "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d",
    }
    with pytest.raises(InvalidConfigurationError, match=r"domain is for public APIs, and vpc_endpoint_ids"):
        private(domain=domain)
