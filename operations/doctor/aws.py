"""Clients of AWS services, as the checks are given them."""

from functools import cached_property
from typing import Any, Protocol

import boto3
from botocore.config import Config

_ANY_REGION = "us-east-1"
"""Where to ask who the caller is, while no region is chosen."""

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


class Aws(Protocol):
    """An account's services in one region."""

    @property
    def region(self) -> str | None:
        """The region's name; None if nothing says which."""

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client, in another region than the chosen one if `region` says so."""


class ConfiguredAws:
    """The account that environment variables, profiles and the machine's role lead to.

    Whatever is wrong with them is raised when a client is asked for.
    """

    @property
    def region(self) -> str | None:
        """See `Aws.region`."""
        return self._session.region_name

    def client(self, service: str, region: str | None = None) -> Any:
        """See `Aws.client`."""
        create: Any = self._session.client
        return create(service, region_name=region or self.region or _ANY_REGION, config=_CONFIG)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session()
