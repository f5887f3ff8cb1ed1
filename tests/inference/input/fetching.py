"""Requests of a fetcher to a test server."""

import io

import pytest

from guarded_http.fetch_scope import FetchScope
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher
from tests.guarded_http.tls_server import HOST, TlsServer

SIGNATURE = "Signature=xyzzy"
"""The query of every request; it must not appear in errors and logs."""


def fetch(fetcher: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000) -> bytes:
    uri = f"https://{HOST}:{server.port}{path}?{SIGNATURE}"
    target = io.BytesIO()
    fetcher.fetch(uri, target, FetchScope(), pointer="#/input_image", max_bytes=max_bytes)
    return target.getvalue()


def error_of(
    fetcher: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000
) -> InputError:
    with pytest.raises(InputError) as caught:
        fetch(fetcher, server, path, max_bytes)
    assert [error.pointer for error in caught.value.errors] == ["#/input_image"]
    assert SIGNATURE not in caught.value.problem().model_dump_json()
    return caught.value
