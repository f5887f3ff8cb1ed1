"""Settings of the HTTP API: authentication, throttling and firewall."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from contract.default_type import default_type
from contract.environment import WAIT_S
from contract.request import ModelName
from infra.config.base import Config
from infra.config.domain import CertificateArn, DomainName, HostedZoneId
from infra.config.origins import Origin

DEFAULT_KEY = "default"

ModelAliases = Annotated[
    Mapping[Annotated[str, Field(pattern=r"^[!-~]{1,100}$")], ModelName], Field(max_length=20)
]


class ApiKeyAuth(Config):
    """An API key in the header `x-api-key` or `Authorization`. The keys are created with the Api stack."""

    type: Literal["api_key"] = "api_key"

    keys: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,31}$")], ...] = Field(
        default=(DEFAULT_KEY,), min_length=1, max_length=100
    )
    """The names of the keys. A caller is known by its key; all keys share the request limits. The stack
    output `ApiKeyId` is the id of the key `default`, and `ApiKeyIdTeam` the one of a key `team`."""

    @field_validator("keys")
    @classmethod
    def _check_unique(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(keys)) < len(keys):
            raise ValueError("names must be unique")
        return keys


class IamAuth(Config):
    """Requests signed with AWS credentials (SigV4) whose policies allow execute-api:Invoke."""

    type: Literal["iam"]


class CognitoAuth(Config):
    """A JSON web token of a Cognito user pool in the header `Authorization`."""

    type: Literal["cognito"]

    user_pool_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+_[0-9a-zA-Z]+$"
    )
    """The user pool that issues the tokens."""

    scopes: tuple[str, ...] = ()
    """With scopes, access tokens with at least one of them are accepted; without, the pool's id tokens."""


class DomainConfig(Config):
    """A domain name of your own for the API."""

    name: DomainName
    """The name, such as `images.example.com`. The output `ApiUrl` contains it."""

    certificate_arn: CertificateArn
    """The certificate for the name in AWS Certificate Manager, in the region of the stage."""

    hosted_zone_id: HostedZoneId | None = None
    """The public hosted zone in Route 53 that gets the alias record of the name, which must not have one yet.
    Without it, create a CNAME record to the output `ApiDomainTarget`."""


class ApiConfig(Config):
    """Authentication and request limits of the API."""

    auth: Annotated[
        ApiKeyAuth | IamAuth | CognitoAuth, Field(discriminator="type"), default_type("api_key")
    ] = ApiKeyAuth()
    """The authentication of callers."""

    shared_jobs: bool | None = None
    """Whether every caller sees, tags, cancels and deletes the jobs of all callers; otherwise only its own.
    Default: true with a single API key, else false."""

    snap_start: bool = True
    """Starts the function that serves requests from a snapshot (Lambda SnapStart), in a fraction of a second.
    Set it to false in regions without SnapStart for Python."""

    wait_s: int = Field(default=WAIT_S, ge=1, le=295)
    """Seconds that requests of the compatible APIs wait for their images. More than 25 need a higher quota of
    the region, which AWS raises on request: API Gateway's "Maximum integration timeout in milliseconds", to 4
    seconds more than this."""

    rate_limit: float = Field(default=20, gt=0, le=10_000)
    """The sustained number of requests per second; more are rejected with status 429."""

    burst_limit: int = Field(default=40, gt=0, le=5_000)
    """The number of requests that may exceed the rate for a moment (API Gateway's token bucket)."""

    firewall_requests_per_5_minutes: int | None = Field(default=None, ge=10, le=2_000_000_000)
    """Adds AWS WAF with AWS's common and known-bad-inputs rule groups, a limit of the bodies of each route,
    and this limit per IP address; without a number there is no firewall. Refusals have the statuses 403, 413
    and 429."""

    allowed_origins: tuple[Origin, ...] = Field(default=(), max_length=10)
    """The origins of web pages on other hosts whose scripts may call the API and upload files (CORS), such as
    `https://images.example.com` or `http://localhost:5173`. Each is compared exactly, and no credentials of
    browsers (cookies) are allowed. Without origins, browsers refuse such pages."""

    model_aliases: ModelAliases | None = None
    """Further names of models for OpenAI's clients, which have names built in, such as
    `{"gpt-image-1": "sdxl", "dall-e-3": "demo"}`. By default every name of an image model of OpenAI
    (`gpt-image-...`, `chatgpt-image-...`, `dall-e-...`) stands for the default model; `{}`: none does."""

    domain: DomainConfig | None = None
    """A domain name of your own; API Gateway's name continues to work."""

    vpc_endpoint_ids: tuple[Annotated[str, Field(pattern=r"^vpce-[0-9a-f]{8,17}$")], ...] = ()
    """Makes the API private: only these VPC endpoints for `execute-api`, with private DNS names, reach it.
    Without ids, the API is public."""

    @field_validator("allowed_origins")
    @classmethod
    def _check_unique(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(origins)) < len(origins):
            raise ValueError("origins must be unique")
        return origins

    @model_validator(mode="after")
    def _check_domain_is_public(self) -> Self:
        if self.domain and self.vpc_endpoint_ids:
            raise ValueError(
                "domain is for public APIs, and vpc_endpoint_ids makes this one private; remove one of them"
            )
        return self

    @property
    def has_shared_jobs(self) -> bool:
        """`shared_jobs`, or its default."""
        if self.shared_jobs is not None:
            return self.shared_jobs
        return isinstance(self.auth, ApiKeyAuth) and len(self.auth.keys) == 1
