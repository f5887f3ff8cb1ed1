"""Fixtures for fetching from servers on the loopback interface."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inference.input.public_fetcher import PublicFetcher
from tests.inference.input.tls_server import Script, TlsServer, certificate

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("key"))


@pytest.fixture
def serve(key: Path) -> Iterator[Callable[..., TlsServer]]:
    servers = []

    def start(script: Script, key: Path = key, **options: Any) -> TlsServer:
        servers.append(TlsServer(key, script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def create_fetcher(key: Path) -> Callable[..., PublicFetcher]:
    """Creates fetchers that resolve every host to the loopback interface, and consider it public."""

    def create(server: TlsServer, **overrides: Any) -> PublicFetcher:
        settings = {
            "resolve": lambda host, port: [LOOPBACK],
            "is_allowed": lambda address: address == LOOPBACK,
            "port": server.port,
            "trust": ssl.create_default_context(cafile=key),
        }
        return PublicFetcher(**settings | overrides)

    return create
