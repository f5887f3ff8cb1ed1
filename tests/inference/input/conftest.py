"""Fixtures for fetching from servers on the loopback interface."""

from collections.abc import Callable
from typing import Any

import pytest

from guarded_http.client import GuardedClient
from inference.input.public_fetcher import PublicFetcher
from tests.guarded_http.tls_server import TlsServer


@pytest.fixture
def create_fetcher(create_guarded_client: Callable[..., GuardedClient]) -> Callable[..., PublicFetcher]:
    """Creates fetchers that resolve every host to the loopback interface, and consider it public."""

    def create(server: TlsServer, **overrides: Any) -> PublicFetcher:
        return PublicFetcher(create_guarded_client(server, **overrides))

    return create
