"""Settings of the web page."""

from typing import Annotated

from aws_cdk import region_info
from pydantic import Field, field_validator

from infra.config.api import ApiConfig, CognitoAuth, IamAuth
from infra.config.base import Config
from infra.config.domain import CertificateArn, DomainName, HostedZoneId, account_of, region_of
from infra.config.environment import EnvironmentConfig

_CERTIFICATES_OF_CLOUDFRONT = "us-east-1"
_WITHOUT = "or set web to null"


class WebDomainConfig(Config):
    """A domain name of your own for the page. The API is at the same name, below `/v1/`."""

    name: DomainName
    """The name, such as `page.example.com`, other than that of `api.domain`. The output `WebUrl` contains
    it."""

    certificate_arn: CertificateArn
    """The certificate for the name in AWS Certificate Manager, in the region us-east-1: CloudFront uses no
    others."""

    hosted_zone_id: HostedZoneId | None = None
    """The public hosted zone in Route 53 that gets the alias records of the name, which must not have any
    yet. Without it, create a CNAME record to the output `WebDomainTarget`."""

    @field_validator("certificate_arn")
    @classmethod
    def _check_region(cls, arn: str) -> str:
        region = region_of(arn)
        if region != _CERTIFICATES_OF_CLOUDFRONT:
            raise ValueError(
                f"the certificate is in {region}, and CloudFront uses those in {_CERTIFICATES_OF_CLOUDFRONT} "
                "only; request one there"
            )
        return arn


class SignInConfig(Config):
    """The sign-in page of the Cognito user pool."""

    domain: Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9-]{1,63}\.)+[a-z]{2,63}$")]
    """The domain of the pool's sign-in page (managed login or the hosted UI), such as
    `NAME.auth.eu-central-1.amazoncognito.com`."""

    client_id: str | None = Field(default=None, pattern=r"^[\w+]{1,128}$")
    """A client of the pool without a secret that has the grant "authorization code", the scope `openid`, and
    the page's address with a slash at its end as callback and sign-out URL. Without an id, the stack creates
    one, for the users that the pool itself has. Set it for federated users, and for a pool in another account
    or region."""


class WebConfig(Config):
    """The web page: its files and the API at one address, through CloudFront."""

    domain: WebDomainConfig | None = None
    """A domain name of your own; otherwise the page has a name of CloudFront."""

    sign_in: SignInConfig | None = None
    """The sign-in page, with `api.auth` of the type `cognito`."""


def reason_against_page(web: WebConfig, api: ApiConfig, environment: EnvironmentConfig | None) -> str | None:
    """The setting with which the page cannot work, and the remedy; None if it can."""
    if isinstance(api.auth, IamAuth):
        return (
            "api.auth is of the type iam, and a browser has no AWS credentials to sign requests with; choose "
            f"api_key or cognito, {_WITHOUT}"
        )
    if api.vpc_endpoint_ids:
        return (
            "api.vpc_endpoint_ids makes the API private, and CloudFront cannot reach it; remove them, "
            f"{_WITHOUT}"
        )
    region = environment.region if environment else None
    partition = region_info.RegionInfo.get(region).partition if region else None
    if partition not in (None, "aws"):
        return (
            f"environment.region is {region}, and the page needs CloudFront as it is in AWS's standard "
            f"regions; choose one of those, {_WITHOUT}"
        )
    if web.domain and api.domain and web.domain.name == api.domain.name:
        return (
            f"web.domain and api.domain are both {web.domain.name}; give the page another name, or remove "
            "api.domain: the API is below /v1/ of the page's name too"
        )
    return _reason_against_sign_in(web.sign_in, api, environment)


def _reason_against_sign_in(
    sign_in: SignInConfig | None, api: ApiConfig, environment: EnvironmentConfig | None
) -> str | None:
    if not isinstance(api.auth, CognitoAuth):
        return "web.sign_in is for api.auth of the type cognito; remove it" if sign_in else None
    if sign_in is None:
        return (
            "web.sign_in is missing: with api.auth of the type cognito visitors sign in on a page of the "
            f"user pool; name its domain there, {_WITHOUT}"
        )
    pool = api.auth.user_pool_arn
    elsewhere = environment and (account_of(pool), region_of(pool)) != (
        environment.account,
        environment.region,
    )
    if elsewhere and sign_in.client_id is None:
        return (
            f"web.sign_in.client_id is missing: the user pool is in account {account_of(pool)} and region "
            f"{region_of(pool)}, where the stack cannot create a client; create one there, and name its id"
        )
    return None
