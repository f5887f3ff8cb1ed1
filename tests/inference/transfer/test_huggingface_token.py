from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from inference.transfer.huggingface import HubError
from inference.transfer.huggingface_token import read_token

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"
KEY = "hf_abcDEF123"


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def keep(secrets: Any, **content: Any) -> str:
    return str(secrets.create_secret(Name="hub", **content)["ARN"])


def fault(arn: str) -> str:
    with pytest.raises(HubError) as caught:
        read_token(arn)
    return str(caught.value)


def test_the_token_is_the_secrets_text_in_the_region_of_its_arn(secrets: Any) -> None:
    assert read_token(keep(secrets, SecretString=f"{KEY}\n")) == KEY


@pytest.mark.usefixtures("secrets")
def test_a_secret_that_is_missing_is_said() -> None:
    assert fault(ARN) == (f"model_source.token_secret_arn: {ARN} does not exist; create it, or name another.")


@pytest.mark.parametrize(
    "content",
    [
        {"SecretString": f'{{"token": "{KEY}"}}'},
        {"SecretString": f"Bearer {KEY}"},
        {"SecretString": f"{KEY}\x07"},
        {"SecretString": " "},
        {"SecretBinary": KEY.encode()},
    ],
)
def test_a_secret_that_is_no_token_is_said_and_not_shown(secrets: Any, content: dict[str, Any]) -> None:
    message = fault(keep(secrets, **content))
    assert "does not hold a token alone; store the token as its plain text" in message
    assert KEY not in message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "may not be read; allow the endpoint's role secretsmanager:GetSecretValue"),
        ("InternalServiceError", r"cannot be read \(InternalServiceError\); try again"),
    ],
)
def test_a_secret_that_is_refused_is_said(monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    client = boto3.client("secretsmanager")
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", code)
        monkeypatch.setattr(boto3, "client", lambda *_args, **_options: client)
        with pytest.raises(HubError, match=words):
            read_token(ARN)


def test_secrets_manager_out_of_reach_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "cannot be read (EndpointConnectionError); make sure" in fault(ARN)
