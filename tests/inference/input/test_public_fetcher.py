"""The fetcher's requests, addresses, redirects and certificates, with servers on the loopback interface."""

import io
import logging
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from contract.problem import ErrorCode
from guarded_http.fetch_scope import FetchScope
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher
from tests.guarded_http.tls_server import HOST, certificate, response
from tests.inference.input.fetching import SIGNATURE, error_of, fetch

PUBLIC, LOOPBACK, METADATA = "93.184.215.14", "127.0.0.1", "169.254.169.254"


def is_public(address: str) -> bool:
    return address == PUBLIC


def test_requests_have_no_cookies_and_are_alike(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"bytes", "Set-Cookie: a=b")})
    fetcher = create_fetcher(server)
    assert fetch(fetcher, server) == fetch(fetcher, server) == b"bytes"
    first, second = server.requests
    assert first == second
    assert f"GET /a.png?{SIGNATURE} HTTP/1.1".encode() in first
    assert f"Host: {HOST}:{server.port}".encode() in first
    assert b"cookie" not in first.lower()


def test_the_proxies_of_the_environment_are_not_used(
    serve_tls: Any, create_fetcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = serve_tls({"/a.png": response(b"bytes")})
    assert fetch(create_fetcher(server), server) == b"bytes"


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/a.png",
        "https://127.1/a.png",
        "https://2130706433/a.png",
        "https://0x7f.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://[::ffff:127.0.0.1]/a.png",
        "https://localhost/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/latest/meta-data/",
        "https://0.0.0.0/a.png",
    ],
)
def test_addresses_that_are_not_public_are_refused_by_default(uri: str) -> None:
    with pytest.raises(InputError, match="not on the public internet") as caught:
        PublicFetcher().fetch(uri, io.BytesIO(), FetchScope(), pointer="#/input_image", max_bytes=10)
    assert caught.value.code is ErrorCode.INPUT_FETCH_FAILED


@pytest.mark.parametrize("uri", ["http://a.example/x", "https://a.example:8443/x", "ftp://a.example/x"])
def test_other_schemes_and_ports_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="must be an https:// address with port 443"):
        PublicFetcher().fetch(uri, io.BytesIO(), FetchScope(), pointer="#/input_image", max_bytes=10)


class RecordingSockets(httpcore2.NetworkBackend):
    """Records the addresses, and connects to the loopback interface instead, or fails."""

    def __init__(self, *, connects: bool) -> None:
        self.addresses: list[str] = []
        self._connects = connects

    def connect_tcp(self, host: str, port: int, *rest: Any, **options: Any) -> httpcore2.NetworkStream:
        self.addresses.append(host)
        if not self._connects:
            raise httpcore2.ConnectError
        return httpcore2.SyncBackend().connect_tcp(LOOPBACK, port, *rest, **options)


class ChangingResolver:
    """Returns other addresses at each call, as in a DNS rebinding attack."""

    def __init__(self, *results: Sequence[str]) -> None:
        self.remaining = list(results)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.remaining.pop(0)


def test_the_checked_address_is_the_one_connected_to(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"bytes")})
    sockets, resolver = RecordingSockets(connects=True), ChangingResolver([PUBLIC], [LOOPBACK])
    fetcher = create_fetcher(server, resolve=resolver, sockets=sockets, is_allowed=is_public)
    assert fetch(fetcher, server) == b"bytes"
    assert (sockets.addresses, resolver.remaining) == ([PUBLIC], [[LOOPBACK]])


def test_a_host_that_becomes_private_after_a_redirect_is_refused(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls(
        {"/a.png": response(b"", "Location: /b.png", status="302 Found"), "/b.png": response(b"bytes")}
    )
    sockets, resolver = RecordingSockets(connects=True), ChangingResolver([PUBLIC], [LOOPBACK])
    fetcher = create_fetcher(server, resolve=resolver, sockets=sockets, is_allowed=is_public)
    assert "not on the public internet" in error_of(fetcher, server).detail
    assert sockets.addresses == [PUBLIC]


def test_a_host_with_one_private_address_is_refused(serve_tls: Any, create_fetcher: Any) -> None:
    sockets, server = RecordingSockets(connects=True), serve_tls({})
    fetcher = create_fetcher(
        server,
        resolve=lambda host, port: [PUBLIC, METADATA],
        sockets=sockets,
        is_allowed=is_public,
    )
    assert "not on the public internet" in error_of(fetcher, server).detail
    assert sockets.addresses == []


def test_every_address_is_tried(serve_tls: Any, create_fetcher: Any) -> None:
    sockets, server = RecordingSockets(connects=False), serve_tls({})
    addresses = [PUBLIC, "2606:4700::1111"]
    fetcher = create_fetcher(server, resolve=lambda *_: addresses, sockets=sockets, is_allowed=lambda _: True)
    assert "cannot be reached" in error_of(fetcher, server).detail
    assert sockets.addresses == addresses


@pytest.mark.parametrize("error", [OSError(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_host_that_cannot_be_resolved_is_reported(
    serve_tls: Any, create_fetcher: Any, error: Exception
) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise error

    server = serve_tls({})
    assert "cannot be resolved" in error_of(create_fetcher(server, resolve=unknown), server).detail


def test_a_redirect_within_the_origin_is_followed(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls(
        {"/a.png": response(b"", "Location: b.png", status="301 Moved"), "/b.png": response(b"bytes")}
    )
    assert fetch(create_fetcher(server), server) == b"bytes"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://elsewhere.example/",
        f"https://{HOST}/",
        f"http://{HOST}:{{port}}/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "https://[/",
        "\xff",
    ],
)
def test_a_redirect_to_another_origin_is_refused(serve_tls: Any, create_fetcher: Any, location: str) -> None:
    script: dict[str, list[bytes]] = {}
    server = serve_tls(script)
    script["/a.png"] = response(b"", status="302 Found")
    script["/a.png"][0] = script["/a.png"][0].replace(
        b"\r\n\r\n", b"\r\nLocation: " + location.format(port=server.port).encode("latin-1") + b"\r\n\r\n"
    )
    error = error_of(create_fetcher(server), server)
    assert error.code is ErrorCode.INPUT_FETCH_FAILED
    assert "redirected to" in error.detail
    assert len(server.requests) == 1


def test_more_than_three_redirects_are_refused(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"", "Location: /a.png", status="307 Temporary Redirect")})
    assert "redirected more than 3 times" in error_of(create_fetcher(server), server).detail
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "403 Forbidden", "500 Oh"])
def test_another_status_is_an_error(serve_tls: Any, create_fetcher: Any, status: str) -> None:
    server = serve_tls({"/a.png": response(b"", status=status)})
    assert f"responded with status {status[:3]}" in error_of(create_fetcher(server), server).detail


def test_a_compressed_response_is_refused(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"", "Content-Encoding: gzip")})
    assert "compressed response" in error_of(create_fetcher(server), server).detail


def test_a_response_that_is_not_http_is_an_error(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": [b"\0\0\0\0\r\n\r\n"]})
    assert "sent an invalid HTTP response" in error_of(create_fetcher(server), server).detail


def test_a_certificate_of_an_unknown_authority_is_refused(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"bytes")})
    fetcher = create_fetcher(server, trust=httpcore2.default_ssl_context())
    assert "TLS certificate that cannot be verified" in error_of(fetcher, server).detail
    assert server.requests == []


def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, serve_tls: Any, create_fetcher: Any
) -> None:
    other = certificate(tmp_path, "elsewhere.example")
    server = serve_tls({"/a.png": response(b"bytes")}, other)
    fetcher = create_fetcher(server, trust=ssl.create_default_context(cafile=other))
    assert "TLS certificate that cannot be verified" in error_of(fetcher, server).detail


def test_signatures_are_not_logged(
    serve_tls: Any, create_fetcher: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve_tls({"/a.png": response(b"bytes"), "/b.png": response(b"", status="403 Forbidden")})
    with caplog.at_level(logging.INFO):
        fetch(create_fetcher(server), server)
        error_of(create_fetcher(server), server, "/b.png")
    assert SIGNATURE not in caplog.text
