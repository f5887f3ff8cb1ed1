"""Types of settings for domain names of your own."""

from typing import Annotated

from pydantic import Field

DomainName = Annotated[
    str, Field(max_length=64, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
]
"""A name with at least two parts; certificates accept 64 characters."""

CertificateArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+$")
]

HostedZoneId = Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$")]


def region_of(arn: str) -> str:
    """The region in an ARN."""
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    """The account in an ARN."""
    return arn.split(":")[4]
