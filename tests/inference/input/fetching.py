"""Requests of a fetcher to a test server."""

import pytest

from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher
from tests.inference.input.tls_server import HOST, TlsServer

SIGNATURE = "Signature=xyzzy"
"""The query of every request; it must not appear in errors and logs."""


def fetch(fetcher: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000) -> bytes:
    uri = f"https://{HOST}:{server.port}{path}?{SIGNATURE}"
    return fetcher.fetch(uri, pointer="#/input_image", max_bytes=max_bytes)


def error_of(
    fetcher: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000
) -> InputError:
    with pytest.raises(InputError) as caught:
        fetch(fetcher, server, path, max_bytes)
    assert [error.pointer for error in caught.value.errors] == ["#/input_image"]
    assert SIGNATURE not in caught.value.problem().model_dump_json()
    return caught.value
