"""Calls to servers on the loopback interface, and the addresses that are never called."""

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from contract.webhooks import CALL_LIMIT_S
from guarded_http.client import GuardedClient
from jobs.webhooks.client import HttpsReceivers
from jobs.webhooks.ports import ForbiddenReceiverError, Response, UnreachableReceiverError
from tests.guarded_http.tls_server import HOLD, HOST, TlsServer, certificate, endless, response

PUBLIC = "93.184.215.14"
BODY = b'{"type":"job.succeeded"}'


class NoSockets(httpcore2.NetworkBackend):
    """Fails the test if anything connects."""

    def connect_tcp(self, host: str, *rest: Any, **options: Any) -> httpcore2.NetworkStream:
        raise AssertionError(f"connected to {host}")


@pytest.fixture
def post(create_guarded_client: Callable[..., GuardedClient]) -> Callable[..., Response]:
    def call(server: TlsServer, path: str = "/hook?token=xyzzy", **overrides: Any) -> Response:
        receivers = HttpsReceivers(create_guarded_client(server, **overrides))
        return receivers.post(f"https://{HOST}:{server.port}{path}", {"webhook-id": "a-succeeded"}, BODY)

    return call


def resolving_to(*addresses: str) -> HttpsReceivers:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return HttpsReceivers(GuardedClient(time_limit_s=CALL_LIMIT_S, resolve=resolve, sockets=NoSockets()))


def test_the_call_is_one_post_with_the_headers_and_the_body(serve_tls: Any, post: Any) -> None:
    server = serve_tls({"/hook": response(b"", status="204 No Content")})
    assert post(server) == Response(status=204)
    (request,) = server.requests
    assert request.startswith(b"POST /hook?token=xyzzy HTTP/1.1\r\n")
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"Host: {HOST}:{server.port}".encode() in lines
    assert b"webhook-id: a-succeeded" in lines
    assert f"Content-Length: {len(BODY)}".encode() in lines
    assert request.endswith(b"\r\n\r\n" + BODY)


@pytest.mark.parametrize(("path", "target"), [("", "/"), ("/a;b?c;d=%20", "/a;b?c;d=%20"), ("?x", "/?x")])
def test_the_path_and_the_query_are_sent_as_they_are(
    serve_tls: Any, post: Any, path: str, target: str
) -> None:
    server = serve_tls({target.partition("?")[0]: response(b"")})
    post(server, path)
    assert server.requests[0].startswith(f"POST {target} HTTP/1.1\r\n".encode())


def test_a_redirect_is_a_response_and_is_not_followed(serve_tls: Any, post: Any) -> None:
    server = serve_tls({"/hook": response(b"", "Location: /elsewhere", status="307 Temporary Redirect")})
    assert post(server) == Response(status=307)
    assert len(server.requests) == 1


def test_the_header_retry_after_is_part_of_the_response(serve_tls: Any, post: Any) -> None:
    server = serve_tls({"/hook": response(b"", "retry-after: 120", status="429 Too Many Requests")})
    assert post(server) == Response(status=429, retry_after="120")


def test_an_endless_body_is_not_read(serve_tls: Any, post: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server = serve_tls({"/hook": endless(head, b"400\r\n" + bytes(1024) + b"\r\n")})
    assert post(server) == Response(status=200)


@pytest.mark.parametrize(
    "script",
    [[HOLD], [b"HTTP/1.1 200 OK\r\nContent-", HOLD], endless(b"HTTP/1.1 200 OK\r\nX: ", b"x", pause_s=0.02)],
    ids=["no response", "half a header", "endless headers"],
)
def test_a_slow_receiver_is_cut_off_at_the_time_limit(serve_tls: Any, post: Any, script: Any) -> None:
    server = serve_tls({"/hook": script})
    with pytest.raises(UnreachableReceiverError, match=f"took more than {CALL_LIMIT_S} s"):
        post(server, time_limit_s=0.5)


def test_the_time_limit_applies_to_the_tls_handshake(serve_tls: Any, post: Any) -> None:
    server = serve_tls({}, handshake=False)
    with pytest.raises(UnreachableReceiverError, match=f"took more than {CALL_LIMIT_S} s"):
        post(server, time_limit_s=0.5)


def test_a_response_that_is_not_http_is_an_error(serve_tls: Any, post: Any) -> None:
    server = serve_tls({"/hook": [b"\0\0\0\0\r\n\r\n"]})
    with pytest.raises(UnreachableReceiverError, match="no valid HTTP response"):
        post(server)


def test_a_certificate_of_an_unknown_authority_is_an_error(serve_tls: Any, post: Any) -> None:
    server = serve_tls({"/hook": response(b"")})
    with pytest.raises(UnreachableReceiverError, match="TLS certificate"):
        post(server, trust=httpcore2.default_ssl_context())
    assert server.requests == []


def test_a_certificate_of_another_host_is_an_error(tmp_path: Path, serve_tls: Any, post: Any) -> None:
    other = certificate(tmp_path, "elsewhere.example")
    server = serve_tls({"/hook": response(b"")}, other)
    with pytest.raises(UnreachableReceiverError, match="TLS certificate"):
        post(server, trust=ssl.create_default_context(cafile=other))


def test_a_host_that_cannot_be_resolved_is_an_error(serve_tls: Any, post: Any) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(UnreachableReceiverError, match="cannot be resolved"):
        post(serve_tls({}), resolve=unknown)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["172.16.0.1"],
        ["192.168.1.1"],
        ["100.64.0.1"],
        ["169.254.169.254"],
        ["fe80::1"],
        ["fd00:ec2::254"],
        ["0.0.0.0"],  # noqa: S104
        ["::ffff:127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["169.254.169.254", PUBLIC],
    ],
    ids=",".join,
)
def test_a_host_with_an_address_that_is_not_public_is_never_connected_to(addresses: list[str]) -> None:
    with pytest.raises(ForbiddenReceiverError):
        resolving_to(*addresses).post(f"https://{HOST}/hook", {}, BODY)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "169.254.169.254"]
)
def test_numeric_and_local_hosts_are_never_connected_to(host: str) -> None:
    """With the system's resolver."""
    receivers = HttpsReceivers(GuardedClient(time_limit_s=CALL_LIMIT_S, sockets=NoSockets()))
    with pytest.raises(ForbiddenReceiverError):
        receivers.post(f"https://{host}/hook", {}, BODY)


@pytest.mark.parametrize("url", ["http://a.example/x", "http://a.example:443/x", "https://a.example:8443/x"])
def test_other_schemes_and_ports_are_never_connected_to(url: str) -> None:
    with pytest.raises(ForbiddenReceiverError):
        resolving_to(PUBLIC).post(url, {}, BODY)


def test_the_proxies_of_the_environment_are_not_used(
    serve_tls: Any, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(serve_tls({"/hook": response(b"")})) == Response(status=200)
