"""Where the endpoints' containers are placed in the network."""

from typing import Annotated, Literal

from pydantic import Field

from infra.config.base import Config


class PublicNetwork(Config):
    """SageMaker's own network, with a way to the internet: the default."""

    type: Literal["public"] = "public"


class IsolatedNetwork(Config):
    """A VPC made for the endpoints: a way to S3, and none to the internet."""

    type: Literal["isolated"]

    cidr: str = Field(default="10.64.0.0/20", pattern=r"^(\d{1,3}\.){3}\d{1,3}/(1[6-9]|2[0-4])$")
    """The VPC's addresses."""

    availability_zones: int = Field(default=2, ge=1, le=3)
    """How many zones it spans; instances are looked for in all of them."""


class ExistingNetwork(Config):
    """Subnets of a VPC that is there already and has a way to S3."""

    type: Literal["existing"]

    subnet_ids: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]+$")], ...] = Field(
        min_length=1, max_length=16
    )
    """Where the containers are attached."""

    security_group_ids: tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]+$")], ...] = Field(
        min_length=1, max_length=5
    )
    """What they may talk to."""


NetworkConfig = Annotated[PublicNetwork | IsolatedNetwork | ExistingNetwork, Field(discriminator="type")]
