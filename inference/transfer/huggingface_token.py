"""The Hugging Face access token in AWS Secrets Manager."""

import re

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from inference.transfer.huggingface import HubError

_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
_REASONS = {
    "ResourceNotFoundException": "does not exist; create it, or name another secret",
    "AccessDeniedException": "cannot be read; allow the endpoint's role secretsmanager:GetSecretValue on it",
}


def read_token(secret_arn: str) -> str:
    """The token, which is the secret's whole text.

    Raises:
        HubError: the secret cannot be read, or is not a token.
    """
    region = secret_arn.split(":")[3]
    try:
        response = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=secret_arn)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise _error(secret_arn, _REASONS.get(code, f"cannot be read ({code}); try again")) from error
    except BotoCoreError as error:
        reason = f"cannot be read ({type(error).__name__}); check that the network reaches Secrets Manager"
        raise _error(secret_arn, reason) from error
    token = str(response.get("SecretString", "")).strip()
    if not _TOKEN.fullmatch(token):
        raise _error(secret_arn, "is not a token; store the token alone, as plain text")
    return token


def _error(secret_arn: str, reason: str) -> HubError:
    return HubError(f"model_source.token_secret_arn: the secret {secret_arn} {reason}.")
