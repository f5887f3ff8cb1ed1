"""Settings of the AWS environment of a stage: account and region, tags and permissions boundary."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from infra.config.base import Config

_TAG_CHARACTERS = r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$"
_RESERVED_TAG_PREFIX = "aws:"


class EnvironmentConfig(Config):
    """The account and region of a stage; credentials of another account cannot deploy it."""

    account: str = Field(pattern=r"^\d{12}$")
    """The id of the account, 12 digits."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")
    """The name of the region, such as `eu-central-1`."""


def _check_is_not_reserved(key: str) -> str:
    if key.lower().startswith(_RESERVED_TAG_PREFIX):
        raise ValueError(
            f"the tag {key!r} begins with {_RESERVED_TAG_PREFIX}, which AWS reserves; choose another name"
        )
    return key


TagKey = Annotated[
    str,
    Field(min_length=1, max_length=127, pattern=_TAG_CHARACTERS),
    AfterValidator(_check_is_not_reserved),
]
TagValue = Annotated[str, Field(min_length=1, max_length=255, pattern=_TAG_CHARACTERS)]

Tags = Annotated[Mapping[TagKey, TagValue], Field(max_length=40)]
"""Tags within the limits of every service that the stacks use.

The CDK adds up to four tags to subnets and buckets, and services allow 50.
"""
