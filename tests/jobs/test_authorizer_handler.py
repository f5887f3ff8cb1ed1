"""The authorizer of API keys."""

import subprocess
import sys
from typing import Any

import pytest

from jobs.authorizer_handler import handler
from tests.conftest import ROOT

ARN = "arn:aws:execute-api:eu-west-1:123456789012:api/dev"


def decision(headers: dict[str, str] | None, path: str = "/POST/v1/jobs") -> tuple[str, str, str | None]:
    """The effect of the policy, its resource, and the key."""
    answer: Any = handler({"type": "REQUEST", "methodArn": ARN + path, "headers": headers}, None)
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert answer["principalId"] == "api-key"
    assert "context" not in answer
    return statement["Effect"], statement["Resource"], answer.get("usageIdentifierKey")


@pytest.mark.parametrize("headers", [{"X-Api-Key": "key"}, {"authorization": "Bearer key"}])
def test_the_key_of_a_request_is_passed_on_to_api_gateway(headers: dict[str, str]) -> None:
    assert decision(headers) == ("Allow", f"{ARN}/*", "key")


@pytest.mark.parametrize("headers", [None, {}, {"Authorization": "Token key"}])
def test_a_request_without_a_key_is_denied(headers: dict[str, str] | None) -> None:
    assert decision(headers) == ("Deny", f"{ARN}/*", None)


def test_the_resource_contains_nothing_of_the_clients_path() -> None:
    assert decision({"x-api-key": "key"}, "/GET/${aws:username}/*?")[1] == f"{ARN}/*"


def test_the_key_is_written_to_no_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    decision({"x-api-key": "key-1"})
    captured = capfd.readouterr()
    assert "key-1" not in captured.out + captured.err + caplog.text


def test_it_imports_little() -> None:
    code = "import sys; import jobs.authorizer_handler; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"pydantic", "botocore", "aws_lambda_powertools", "logging"} & {*loaded}
