from collections.abc import Iterator
from typing import TYPE_CHECKING

import botocore.session
import pytest
from moto import mock_aws

from jobs.aws.secrets import SecretsManagerSigningKeys

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def secrets() -> Iterator["SecretsManagerClient"]:
    with mock_aws():
        yield botocore.session.get_session().create_client("secretsmanager", region_name="us-east-1")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_secret_that_was_never_rotated_has_one_key(secrets: "SecretsManagerClient") -> None:
    arn = secrets.create_secret(Name="signing", SecretString="first")["ARN"]
    assert SecretsManagerSigningKeys(secrets, arn).read() == (b"first",)


def test_after_a_rotation_the_previous_key_follows_the_current_one(secrets: "SecretsManagerClient") -> None:
    arn = secrets.create_secret(Name="signing", SecretString="first")["ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="second")
    assert SecretsManagerSigningKeys(secrets, arn).read() == (b"second", b"first")
    secrets.put_secret_value(SecretId=arn, SecretString="third")
    assert SecretsManagerSigningKeys(secrets, arn).read() == (b"third", b"second")


def test_the_keys_are_read_again_after_five_minutes(secrets: "SecretsManagerClient") -> None:
    arn = secrets.create_secret(Name="signing", SecretString="first")["ARN"]
    clock = Clock()
    keys = SecretsManagerSigningKeys(secrets, arn, clock=clock)
    keys.read()
    secrets.put_secret_value(SecretId=arn, SecretString="second")
    clock.now += 299
    assert keys.read() == (b"first",)
    clock.now += 1
    assert keys.read() == (b"second", b"first")
