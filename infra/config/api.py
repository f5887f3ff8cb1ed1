"""Who may use the API, and how much."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Config


class ApiKeyAuth(Config):
    """An API key in `x-api-key`, made with the stack."""

    type: Literal["api_key"] = "api_key"


class IamAuth(Config):
    """Requests signed with AWS credentials (SigV4) that may call execute-api:Invoke."""

    type: Literal["iam"]


class CognitoAuth(Config):
    """A JSON web token of a Cognito user pool in `Authorization`."""

    type: Literal["cognito"]

    user_pool_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+_[0-9a-zA-Z]+$"
    )
    """The pool whose tokens are accepted."""

    scopes: tuple[str, ...] = ()
    """With scopes, access tokens that have one of them are accepted; without, the pool's id tokens."""


class ApiConfig(Config):
    """Who may use the API, and how much."""

    auth: Annotated[ApiKeyAuth | IamAuth | CognitoAuth, Field(discriminator="type")] = ApiKeyAuth()
    """How callers prove who they are."""

    rate_limit: float = Field(default=20, gt=0, le=10_000)
    """Requests a second."""

    burst_limit: int = Field(default=40, gt=0, le=5_000)
    """Requests at once."""

    firewall_requests_per_5_minutes: int | None = Field(default=None, ge=10, le=2_000_000_000)
    """With a number, AWS WAF stands in front: AWS's common and known-bad-inputs rules, and this limit for
    each address."""
