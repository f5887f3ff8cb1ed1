"""What the fetcher reaches, on loopback servers; the web's own names and addresses are the tests'."""

import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher
from tests.inference.input.tls_server import HOST, Script, TlsServer, answer, certificate, endlessly

SIGNATURE = "Signature=xyzzy"
PUBLIC, LOOPBACK, METADATA = "93.184.215.14", "127.0.0.1", "169.254.169.254"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("key"))


@pytest.fixture
def serve(key: Path) -> Iterator[Callable[..., TlsServer]]:
    servers = []

    def start(script: Script, key: Path = key) -> TlsServer:
        servers.append(TlsServer(key, script))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def web(key: Path) -> Callable[..., PublicFetcher]:
    """The web as it is around a server: the host is on the loopback interface, which is public."""

    def web(server: TlsServer, **otherwise: Any) -> PublicFetcher:
        settings = {
            "resolve": lambda host, port: [LOOPBACK],
            "is_allowed": lambda address: address == LOOPBACK,
            "port": server.port,
            "trust": ssl.create_default_context(cafile=key),
        }
        return PublicFetcher(**settings | otherwise)

    return web


def fetch(web: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000) -> bytes:
    uri = f"https://{HOST}:{server.port}{path}?{SIGNATURE}"
    return web.fetch(uri, pointer="#/input_image", max_bytes=max_bytes)


def refusal(web: PublicFetcher, server: TlsServer, path: str = "/a.png", max_bytes: int = 1000) -> InputError:
    with pytest.raises(InputError) as caught:
        fetch(web, server, path, max_bytes)
    assert [error.pointer for error in caught.value.errors] == ["#/input_image"]
    assert SIGNATURE not in caught.value.problem().model_dump_json()
    return caught.value


def test_a_picture_is_fetched_with_nothing_but_what_it_takes(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"bytes", "Set-Cookie: a=b")})
    public = web(server)
    assert fetch(public, server) == fetch(public, server) == b"bytes"
    first, second = server.requests
    assert first == second
    assert f"GET /a.png?{SIGNATURE} HTTP/1.1".encode() in first
    assert f"Host: {HOST}:{server.port}".encode() in first
    assert b"cookie" not in first.lower()


def test_proxies_of_the_environment_are_not_asked(
    serve: Any, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = serve({"/a.png": answer(b"bytes")})
    assert fetch(web(server), server) == b"bytes"


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
def test_what_is_not_on_the_public_internet_is_refused_by_default(uri: str) -> None:
    with pytest.raises(InputError, match="not on the public internet") as caught:
        PublicFetcher().fetch(uri, pointer="#/input_image", max_bytes=10)
    assert caught.value.code is ErrorCode.INPUT_FETCH_FAILED


@pytest.mark.parametrize("uri", ["http://a.example/x", "https://a.example:8443/x", "ftp://a.example/x"])
def test_other_schemes_and_ports_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="must be an https address at port 443"):
        PublicFetcher().fetch(uri, pointer="#/input_image", max_bytes=10)


class Sockets(httpcore2.NetworkBackend):
    """Takes down where it is to connect to; connects to the loopback interface, or to nothing."""

    def __init__(self, *, works: bool) -> None:
        self.addresses: list[str] = []
        self._works = works

    def connect_tcp(self, host: str, port: int, *rest: Any, **options: Any) -> httpcore2.NetworkStream:
        self.addresses.append(host)
        if not self._works:
            raise httpcore2.ConnectError
        return httpcore2.SyncBackend().connect_tcp(LOOPBACK, port, *rest, **options)


class Answers:
    """A resolver whose answers change."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.left = list(answers)

    def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.left.pop(0)


def test_the_address_that_was_judged_is_the_one_connected_to(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"bytes")})
    sockets, names = Sockets(works=True), Answers([PUBLIC], [LOOPBACK])
    public = web(server, resolve=names, sockets=sockets, is_allowed=lambda address: address == PUBLIC)
    assert fetch(public, server) == b"bytes"
    assert (sockets.addresses, names.left) == ([PUBLIC], [[LOOPBACK]])


def test_a_name_that_turns_to_another_address_between_redirects_is_refused(serve: Any, web: Any) -> None:
    server = serve(
        {"/a.png": answer(b"", "Location: /b.png", status="302 Found"), "/b.png": answer(b"bytes")}
    )
    sockets, names = Sockets(works=True), Answers([PUBLIC], [LOOPBACK])
    public = web(server, resolve=names, sockets=sockets, is_allowed=lambda address: address == PUBLIC)
    assert "not on the public internet" in refusal(public, server).detail
    assert sockets.addresses == [PUBLIC]


def test_one_forbidden_address_among_public_ones_is_enough(serve: Any, web: Any) -> None:
    sockets, server = Sockets(works=True), serve({})
    public = web(
        server,
        resolve=lambda host, port: [PUBLIC, METADATA],
        sockets=sockets,
        is_allowed=lambda address: address == PUBLIC,
    )
    assert "not on the public internet" in refusal(public, server).detail
    assert sockets.addresses == []


def test_every_public_address_is_tried(serve: Any, web: Any) -> None:
    sockets, server = Sockets(works=False), serve({})
    addresses = [PUBLIC, "2606:4700::1111"]
    public = web(server, resolve=lambda *_: addresses, sockets=sockets, is_allowed=lambda _: True)
    assert "cannot be reached" in refusal(public, server).detail
    assert sockets.addresses == addresses


@pytest.mark.parametrize("error", [OSError(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_host_without_an_address_is_said(serve: Any, web: Any, error: Exception) -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise error

    server = serve({})
    assert "has no address" in refusal(web(server, resolve=unknown), server).detail


def test_a_redirect_within_the_origin_is_followed(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"", "Location: b.png", status="301 Moved"), "/b.png": answer(b"bytes")})
    assert fetch(web(server), server) == b"bytes"


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
def test_a_redirect_to_elsewhere_is_refused(serve: Any, web: Any, location: str) -> None:
    script: dict[str, list[bytes]] = {}
    server = serve(script)
    script["/a.png"] = answer(b"", status="302 Found")
    script["/a.png"][0] = script["/a.png"][0].replace(
        b"\r\n\r\n", b"\r\nLocation: " + location.format(port=server.port).encode("latin-1") + b"\r\n\r\n"
    )
    error = refusal(web(server), server)
    assert error.code is ErrorCode.INPUT_FETCH_FAILED
    assert "redirects to" in error.detail
    assert len(server.requests) == 1


def test_redirects_without_end_are_refused(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"", "Location: /a.png", status="307 Temporary Redirect")})
    assert "redirects again and again" in refusal(web(server), server).detail
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "403 Forbidden", "500 Oh"])
def test_other_answers_are_no_pictures(serve: Any, web: Any, status: str) -> None:
    server = serve({"/a.png": answer(b"", status=status)})
    assert f"answers with status {status[:3]}" in refusal(web(server), server).detail


def test_a_body_without_end_is_not_read_beyond_the_limit(serve: Any, web: Any) -> None:
    server = serve({"/a.png": endlessly(CHUNKED, b"400\r\n" + bytes(1024) + b"\r\n")})
    error = refusal(web(server), server, max_bytes=100_000)
    assert error.code is ErrorCode.INPUT_IMAGE_TOO_LARGE
    assert "100,000 bytes" in error.detail


def test_a_length_that_is_too_large_is_believed_and_one_that_is_too_small_is_an_error(
    serve: Any, web: Any
) -> None:
    server = serve(
        {"/large.png": answer(b"x", length=1001), "/broken.png": answer(b"x" * 5, length=10)},
    )
    public = web(server)
    assert refusal(public, server, "/large.png").code is ErrorCode.INPUT_IMAGE_TOO_LARGE
    assert "does not answer in valid HTTP" in refusal(public, server, "/broken.png").detail


def test_a_picture_of_just_the_limit_is_fetched(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"x" * 1000, length=1000)})
    assert len(fetch(web(server), server)) == 1000


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
    ],
    ids=["headers", "body"],
)
def test_a_slow_drip_runs_out_of_time(serve: Any, web: Any, pieces: tuple[bytes, bytes]) -> None:
    server = serve({"/a.png": endlessly(*pieces, pause_s=0.02)})
    error = refusal(web(server, time_limit_s=0.5), server)
    assert (error.code, "took too long" in error.detail) == (ErrorCode.INPUT_FETCH_FAILED, True)


def test_a_compressed_body_is_refused_unread(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"", "Content-Encoding: gzip")})
    assert "compresses" in refusal(web(server), server).detail


def test_what_is_no_http_is_said(serve: Any, web: Any) -> None:
    server = serve({"/a.png": [b"\0\0\0\0\r\n\r\n"]})
    assert "does not answer in valid HTTP" in refusal(web(server), server).detail


def test_a_certificate_that_nobody_trusts_is_refused(serve: Any, web: Any) -> None:
    server = serve({"/a.png": answer(b"bytes")})
    public = web(server, trust=httpcore2.default_ssl_context())
    assert "certificate that cannot be verified" in refusal(public, server).detail
    assert server.requests == []


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, serve: Any, web: Any) -> None:
    other = certificate(tmp_path, "elsewhere.example")
    server = serve({"/a.png": answer(b"bytes")}, other)
    public = web(server, trust=ssl.create_default_context(cafile=other))
    assert "certificate that cannot be verified" in refusal(public, server).detail


def test_signatures_are_not_logged(serve: Any, web: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve({"/a.png": answer(b"bytes"), "/b.png": answer(b"", status="403 Forbidden")})
    with caplog.at_level(logging.INFO):
        fetch(web(server), server)
        refusal(web(server), server, "/b.png")
    assert SIGNATURE not in caplog.text
