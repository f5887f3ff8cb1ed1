"""The function at CloudFront that names the visitor's address, and the secret of the distribution."""

import json
import subprocess
from typing import Any

import pytest

from tests.infra.conftest import SMALL, Templates, only, synthesize, text

BEHIND_FIREWALL: dict[str, Any] = SMALL | {"api": {"firewall_requests_per_5_minutes": 500}}


@pytest.fixture(scope="module")
def protected() -> Templates:
    return synthesize(BEHIND_FIREWALL)


def handled(code: str, event: dict[str, Any]) -> Any:
    """The request that the function returns for the event."""
    program = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps(event)})));"
    done = subprocess.run(
        ["node", "--eval", program],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("sent", [{}, {"true-client-ip": {"value": "198.51.100.1"}}], ids=["none", "another"])
def test_the_address_is_that_of_the_connection_whatever_the_visitor_sends(
    protected: Templates, sent: dict[str, Any]
) -> None:
    function = only(protected.by_stack["Web"], "AWS::CloudFront::Function")
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    event = {
        "viewer": {"ip": "2001:db8::7"},
        "request": {"method": "GET", "uri": "/v1/jobs", "headers": {"host": {"value": "a"}, **sent}},
    }
    request = handled(function["FunctionCode"], event)
    assert request["headers"] == {"host": {"value": "a"}, "true-client-ip": {"value": "2001:db8::7"}}
    assert request["uri"] == "/v1/jobs"


def behaviors(templates: Templates) -> dict[str, Any]:
    config = only(templates.by_stack["Web"], "AWS::CloudFront::Distribution")["DistributionConfig"]
    return {each["PathPattern"]: each for each in config["CacheBehaviors"]}


def test_requests_to_the_api_pass_the_function(protected: Templates, small: Templates) -> None:
    (function,) = protected.by_stack["Web"].find_resources("AWS::CloudFront::Function")
    (association,) = behaviors(protected)["/v1/*"]["FunctionAssociations"]
    assert association == {
        "EventType": "viewer-request",
        "FunctionARN": {"Fn::GetAtt": [function, "FunctionARN"]},
    }
    assert "FunctionAssociations" not in behaviors(protected)["/assets/*"]
    assert "FunctionAssociations" not in behaviors(small)["/v1/*"]


def sent_secret(templates: Templates) -> Any:
    config = only(templates.by_stack["Web"], "AWS::CloudFront::Distribution")["DistributionConfig"]
    headers = [each for origin in config["Origins"] for each in origin.get("OriginCustomHeaders", [])]
    return [(each["HeaderName"], each["HeaderValue"]) for each in headers]


def test_the_distribution_sends_the_secret_that_the_firewall_expects(protected: Templates) -> None:
    ((name, sent),) = sent_secret(protected)
    assert name == "X-Distribution-Secret"
    assert sent["Fn::Join"][1][0] == "{{resolve:secretsmanager:"
    assert "ExportsOutputRefApiFirewallDistributionSecret" in text(sent)
    (secret,) = protected.api.find_resources("AWS::SecretsManager::Secret")
    expected = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": secret}, ":SecretString:::}}"]]}
    assert text(only(protected.api, "AWS::WAFv2::WebACL")["Rules"]).count(text(expected)) == 2


def test_without_a_firewall_or_a_page_there_is_no_secret(small: Templates, large: Templates) -> None:
    assert sent_secret(small) == []
    for templates in (small, large):
        templates.api.resource_count_is("AWS::SecretsManager::Secret", 0)


def test_the_secret_is_generated_encrypted_with_the_stages_key_and_deleted_with_the_stack() -> None:
    templates = synthesize(BEHIND_FIREWALL | {"customer_managed_key": True})
    ((_, secret),) = templates.api.find_resources("AWS::SecretsManager::Secret").items()
    assert secret["Properties"]["GenerateSecretString"] == {"ExcludePunctuation": True, "PasswordLength": 40}
    assert "StorageKey" in text(secret["Properties"]["KmsKeyId"])
    assert secret["DeletionPolicy"] == "Delete"
