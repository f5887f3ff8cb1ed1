"""Settings of the network that the inference containers are attached to."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, field_validator

from contract.default_type import default_type
from infra.config.base import Config

ZONES_OF_UNKNOWN_REGION = 2
"""The availability zones of a stack whose account and region are those of the credentials that deploy it."""


class PublicNetwork(Config):
    """SageMaker's own network, with internet access."""

    type: Literal["public"] = "public"


class IsolatedNetwork(Config):
    """A new VPC with a gateway endpoint for S3 and without internet access."""

    type: Literal["isolated"]

    cidr: str = Field(default="10.64.0.0/20", pattern=r"^(\d{1,3}\.){3}\d{1,3}/(1[6-9]|2[0-4])$")
    """The address range of the VPC."""

    availability_zones: int = Field(default=2, ge=1, le=3)
    """The number of availability zones; SageMaker starts instances in any of them. More than two need the
    stage's `environment`."""

    @field_validator("cidr")
    @classmethod
    def _check_cidr(cls, cidr: str) -> str:
        try:
            IPv4Network(cidr)
        except ValueError as error:
            raise ValueError(f"{error}; use the first address of a range, such as 10.64.0.0/20") from error
        return cidr


class ExistingNetwork(Config):
    """Subnets of an existing VPC. They must have a route to S3."""

    type: Literal["existing"]

    subnet_ids: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]+$")], ...] = Field(
        min_length=1, max_length=16
    )
    """The subnets of the containers."""

    security_group_ids: tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]+$")], ...] = Field(
        min_length=1, max_length=5
    )
    """The security groups of the containers; they must allow outgoing HTTPS to S3."""


NetworkConfig = Annotated[
    PublicNetwork | IsolatedNetwork | ExistingNetwork, Field(discriminator="type"), default_type("public")
]
