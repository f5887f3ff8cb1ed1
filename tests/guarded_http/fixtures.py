"""Fixtures for requests to TLS servers on the loopback interface, for the tests of all packages."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from guarded_http.client import GuardedClient
from tests.guarded_http.tls_server import Script, TlsServer, certificate

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def certificate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key and certificate of the servers."""
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def serve_tls(certificate_file: Path) -> Iterator[Callable[..., TlsServer]]:
    """Starts servers, which stop after the test."""
    servers = []

    def start(script: Script, certificate: Path = certificate_file, **options: Any) -> TlsServer:
        servers.append(TlsServer(certificate, script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def create_guarded_client(certificate_file: Path) -> Callable[..., GuardedClient]:
    """Creates clients that resolve every host to the loopback interface, and consider it public."""

    def create(server: TlsServer, **overrides: Any) -> GuardedClient:
        settings: dict[str, Any] = {
            "time_limit_s": 30,
            "resolve": lambda host, port: [LOOPBACK],
            "is_allowed": lambda address: address == LOOPBACK,
            "port": server.port,
            "trust": ssl.create_default_context(cafile=certificate_file),
        }
        return GuardedClient(**settings | overrides)

    return create
