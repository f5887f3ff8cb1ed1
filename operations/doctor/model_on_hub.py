"""A model on the Hugging Face hub: its repository can be read, with the token if there is one."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from contract.source import HubSource
from inference.models.formats import MODEL_INDEX
from operations.doctor.aws import Aws
from operations.doctor.check import Finding, failed, passed, skipped
from operations.doctor.model_directory import weights

Hub = Callable[[str | None], HfApi]
"""The hub as the owner of a token sees it, or as everybody does without."""

_TIMEOUT_S = 20
_TOKEN = re.compile(r"[A-Za-z0-9._-]+")


class TokenError(RuntimeError):
    """There is no token; the message says why."""


@dataclass(frozen=True)
class HubToken:
    """The secret with the access token is there and can be read."""

    aws: Aws
    secret_arn: str
    name: str = "Hugging Face token"

    def run(self) -> Finding:
        """See `Check.run`."""
        try:
            read_token(self.aws, self.secret_arn)
        except TokenError as error:
            return failed(
                str(error), "make a secret with the token as its text: aws secretsmanager create-secret"
            )
        return passed(f"can be read from {self.secret_arn}")


@dataclass(frozen=True)
class HubRepository:
    """The repository has the revision, and a diffusers directory with safetensors weights in it.

    Attributes:
        model: the model's name in the stage.
    """

    aws: Aws
    hub: Hub
    model: str
    source: HubSource

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.model}: hub"

    def run(self) -> Finding:
        """See `Check.run`."""
        arn = self.source.token_secret_arn
        try:
            token = read_token(self.aws, arn) if arn else None
        except TokenError:
            return skipped("the token cannot be read: see its own line")
        page = f"https://huggingface.co/{self.source.id}"
        try:
            info = self.hub(token).model_info(
                self.source.id, revision=self.source.revision, timeout=_TIMEOUT_S
            )
        except GatedRepoError:
            return failed(
                f"{self.source.id} is gated, and {'the token may not' if token else 'nobody may'} read it"
                f"{'' if token else ' without a token'}",
                f"accept the terms at {page}, and name the secret with your token in token_secret_arn",
            )
        except RepositoryNotFoundError:
            return failed(
                f"the hub shows no {self.source.id} {'to the token' if token else 'without a token'}",
                f"see whether {page} exists; a private one needs its owner's token in token_secret_arn",
            )
        except RevisionNotFoundError:
            return failed(
                f"{self.source.id} has no commit {self.source.revision}",
                f"name one of those at {page}/commits/main",
            )
        except HfHubHTTPError as error:
            return failed(
                f"the hub answered {error.response.status_code} for {self.source.id}",
                "make a new token at https://huggingface.co/settings/tokens if it is 401, or try again later",
            )
        except httpx2.HTTPError as error:
            return skipped(f"the hub cannot be reached from here: {error}")
        files = [each.rfilename for each in info.siblings or []]
        if MODEL_INDEX not in files or not weights(files):
            return failed(
                f"{self.source.id} is no diffusers directory with safetensors weights",
                f"choose a repository that has {MODEL_INDEX} and *.safetensors files: {page}/tree/main",
            )
        return passed(f"{self.source.id} at {self.source.revision[:8]}")


def read_token(aws: Aws, secret_arn: str) -> str:
    """The token in the secret.

    Raises:
        TokenError: there is no such secret, or something else is in it.
    """
    region = secret_arn.split(":")[3]
    secrets = aws.client("secretsmanager", region)
    try:
        token = secrets.get_secret_value(SecretId=secret_arn).get("SecretString", "").strip()
    except secrets.exceptions.ResourceNotFoundException as error:
        raise TokenError(f"there is no secret {secret_arn}") from error
    if not _TOKEN.fullmatch(token):
        raise TokenError(f"the secret {secret_arn} does not hold a token alone")
    return str(token)
