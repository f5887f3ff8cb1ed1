"""Boto3 clients for the checks."""

from functools import cached_property
from typing import Any, Protocol

import boto3
from botocore.config import Config

_FALLBACK_REGION = "us-east-1"
"""The region of the first call to STS if no region is configured."""

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


class Aws(Protocol):
    """The services of an account in one region."""

    @property
    def region(self) -> str | None:
        """The region's name; None if none is configured."""

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the configured region, or of `region`."""

    def in_region(self, region: str) -> "Aws":
        """The services of the same account in another region."""


class ConfiguredAws:
    """The account of the environment variables, the profile or the machine's role.

    Errors of the AWS configuration are raised when a client is created.
    """

    def __init__(self, region: str | None = None) -> None:
        self._region = region

    @property
    def region(self) -> str | None:
        """See `Aws.region`."""
        return self._region or self._session.region_name

    def client(self, service: str, region: str | None = None) -> Any:
        """See `Aws.client`."""
        create: Any = self._session.client
        return create(service, region_name=region or self.region or _FALLBACK_REGION, config=_CONFIG)

    def in_region(self, region: str) -> "ConfiguredAws":
        """See `Aws.in_region`."""
        return ConfiguredAws(region)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session()
