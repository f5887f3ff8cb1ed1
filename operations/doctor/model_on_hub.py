"""Checks of a model on the Hugging Face Hub: the access token and the repository."""

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

from contract.family import Family
from contract.model import ServedModel
from contract.source import HubSource
from inference.models.formats import MODEL_INDEX
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, failed, passed, skipped
from operations.doctor.default_size import size_warning
from operations.doctor.model_directory import weights

HubClientFactory = Callable[[str | None], HfApi]
"""Creates a client of the Hub with an access token; None creates an anonymous client."""

_TIMEOUT_S = 20
_SDXL = "StableDiffusionXL"
"""The beginning of the names of pipelines for SDXL; those for SD 1 and SD 2 have the same names."""

_TOKEN = re.compile(r"[A-Za-z0-9._-]+")


class TokenError(RuntimeError):
    """The token cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class HubToken:
    """The secret with the access token exists and can be read."""

    aws: Aws
    secret_arn: str
    name: str = "Hugging Face token"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        try:
            read_token(self.aws, self.secret_arn)
        except TokenError as error:
            return failed(
                str(error), "create a secret with the token as its text: aws secretsmanager create-secret"
            )
        return passed(f"read from {self.secret_arn}")


@dataclass(frozen=True)
class HubRepository:
    """The repository can be read at the revision and is a diffusers directory with safetensors weights."""

    aws: Aws
    create_client: HubClientFactory
    model: ServedModel
    source: HubSource

    @property
    def name(self) -> str:
        """See `Check.name`."""
        return f"model {self.model.name}: hub"

    def run(self) -> CheckResult:
        """See `Check.run`."""
        arn = self.source.token_secret_arn
        try:
            token = read_token(self.aws, arn) if arn else None
        except TokenError:
            return skipped("not checked, because the token cannot be read: see the result of its check")
        page = f"https://huggingface.co/{self.source.id}"
        try:
            info = self.create_client(token).model_info(
                self.source.id, revision=self.source.revision, timeout=_TIMEOUT_S
            )
        except GatedRepoError:
            return failed(
                f"{self.source.id} is gated, and {'the token has no access' if token else 'no token is set'}",
                f"accept the terms at {page}, and set token_secret_arn to the secret with your token",
            )
        except RepositoryNotFoundError:
            return failed(
                f"{self.source.id} does not exist or needs {'another' if token else 'a'} token",
                f"check {page}; a private repository needs its owner's token in token_secret_arn",
            )
        except RevisionNotFoundError:
            return failed(
                f"{self.source.id} has no commit {self.source.revision}",
                f"choose a commit from {page}/commits/main",
            )
        except HfHubHTTPError as error:
            return failed(
                f"the Hub returned {error.response.status_code} for {self.source.id}",
                "for 401 create a token at https://huggingface.co/settings/tokens; else try again later",
            )
        except httpx2.HTTPError as error:
            return skipped(f"not checked, because the Hub cannot be reached: {error}")
        files = [each.rfilename for each in info.siblings or []]
        if MODEL_INDEX not in files or not weights(files):
            return failed(
                f"{self.source.id} is not a diffusers directory with safetensors weights",
                f"choose a repository with {MODEL_INDEX} and *.safetensors files: {page}/tree/main",
            )
        pipeline = ((info.config or {}).get("diffusers") or {}).get("_class_name", "")
        poor = None
        if pipeline.startswith(_SDXL):
            poor = size_warning(pipeline, Family.SDXL.defaults.width, self.model.defaults)
        return poor or passed(f"{self.source.id} at {self.source.revision[:8]}")


def read_token(aws: Aws, secret_arn: str) -> str:
    """The access token in the secret.

    Raises:
        TokenError: the secret does not exist, or its text is not a token.
    """
    region = secret_arn.split(":")[3]
    secrets = aws.client("secretsmanager", region)
    try:
        token = secrets.get_secret_value(SecretId=secret_arn).get("SecretString", "").strip()
    except secrets.exceptions.ResourceNotFoundException as error:
        raise TokenError(f"the secret {secret_arn} does not exist") from error
    if not _TOKEN.fullmatch(token):
        raise TokenError(f"the text of the secret {secret_arn} is not a token")
    return str(token)
