from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from inference.transfer.huggingface import HubError
from inference.transfer.huggingface_token import read_token

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-AbCdEf"
TOKEN = "hf_abcDEF123"  # noqa: S105


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def create_secret(secrets: Any, **content: Any) -> str:
    return str(secrets.create_secret(Name="hub", **content)["ARN"])


def error_of(arn: str) -> str:
    with pytest.raises(HubError) as caught:
        read_token(arn)
    return str(caught.value)


def test_the_token_is_read_in_the_region_of_the_arn(secrets: Any) -> None:
    assert read_token(create_secret(secrets, SecretString=f"{TOKEN}\n")) == TOKEN


@pytest.mark.usefixtures("secrets")
def test_a_missing_secret_is_named() -> None:
    assert error_of(ARN) == (
        f"model_source.token_secret_arn: the secret {ARN} does not exist; create it, or name another secret."
    )


@pytest.mark.parametrize(
    "content",
    [
        {"SecretString": f'{{"token": "{TOKEN}"}}'},
        {"SecretString": f"Bearer {TOKEN}"},
        {"SecretString": f"{TOKEN}\x07"},
        {"SecretString": " "},
        {"SecretBinary": TOKEN.encode()},
    ],
)
def test_a_secret_that_is_not_a_token_is_refused_and_not_quoted(
    secrets: Any, content: dict[str, Any]
) -> None:
    message = error_of(create_secret(secrets, **content))
    assert "is not a token; store the token alone, as plain text" in message
    assert TOKEN not in message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "cannot be read; allow the endpoint's role secretsmanager:GetSecretValue"),
        ("InternalServiceError", r"cannot be read \(InternalServiceError\); try again"),
    ],
)
def test_an_error_of_secrets_manager_is_named(
    monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    client = boto3.client("secretsmanager")
    with Stubber(client) as stub:
        stub.add_client_error("get_secret_value", code)
        monkeypatch.setattr(boto3, "client", lambda *_args, **_options: client)
        with pytest.raises(HubError, match=message):
            read_token(ARN)


def test_an_unreachable_secrets_manager_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "cannot be read (EndpointConnectionError); check that" in error_of(ARN)
