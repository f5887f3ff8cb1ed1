"""The token for the Hugging Face hub, from AWS Secrets Manager."""

import re

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from inference.transfer.huggingface import HubError

_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
_REFUSALS = {
    "ResourceNotFoundException": "does not exist; create it, or name another",
    "AccessDeniedException": "may not be read; allow the endpoint's role secretsmanager:GetSecretValue on it",
}


def read_token(secret_arn: str) -> str:
    """The token that the secret holds, as its whole text.

    Raises:
        HubError: the secret cannot be read, or holds something else.
    """
    region = secret_arn.split(":")[3]
    try:
        answer = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=secret_arn)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise _fault(secret_arn, _REFUSALS.get(code, f"cannot be read ({code}); try again")) from error
    except BotoCoreError as error:
        reason = (
            f"cannot be read ({type(error).__name__}); make sure that the network reaches Secrets Manager"
        )
        raise _fault(secret_arn, reason) from error
    token = str(answer.get("SecretString", "")).strip()
    if not _TOKEN.fullmatch(token):
        raise _fault(secret_arn, "does not hold a token alone; store the token as its plain text")
    return token


def _fault(secret_arn: str, reason: str) -> HubError:
    return HubError(f"model_source.token_secret_arn: {secret_arn} {reason}.")
