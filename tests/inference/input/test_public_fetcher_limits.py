"""The fetcher's limits on size and time."""

from typing import Any

import pytest

from contract.problem import ErrorCode
from tests.guarded_http.tls_server import HOLD, endless, response
from tests.inference.input.fetching import error_of, fetch

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_endless_body_is_not_read_beyond_the_limit(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": endless(CHUNKED, b"400\r\n" + bytes(1024) + b"\r\n")})
    error = error_of(create_fetcher(server), server, max_bytes=100_000)
    assert error.code is ErrorCode.INPUT_IMAGE_TOO_LARGE
    assert "the limit of 100,000 bytes" in error.detail


def test_a_content_length_above_the_limit_and_one_above_the_bodys_length_are_errors(
    serve_tls: Any, create_fetcher: Any
) -> None:
    server = serve_tls(
        {"/large.png": response(b"x", length=1001), "/broken.png": response(b"x" * 5, length=10)},
    )
    fetcher = create_fetcher(server)
    assert error_of(fetcher, server, "/large.png").code is ErrorCode.INPUT_IMAGE_TOO_LARGE
    assert "sent an invalid HTTP response" in error_of(fetcher, server, "/broken.png").detail


def test_a_file_of_exactly_the_limit_is_fetched(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"x" * 1000, length=1000)})
    assert len(fetch(create_fetcher(server), server)) == 1000


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
    ],
    ids=["headers", "body"],
)
def test_the_time_limit_applies_to_a_server_that_keeps_sending_slowly(
    serve_tls: Any, create_fetcher: Any, pieces: tuple[bytes, bytes]
) -> None:
    server = serve_tls({"/a.png": endless(*pieces, pause_s=0.02)})
    error = error_of(create_fetcher(server, time_limit_s=0.5), server)
    assert error.code is ErrorCode.INPUT_FETCH_FAILED
    assert "exceeded the time limit" in error.detail


SILENT_SCRIPTS: list[list[bytes | None]] = [
    [HOLD],
    [b"HTTP/1.1 200 OK\r\nContent-", HOLD],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", HOLD],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", HOLD],
    [CHUNKED, b"1\r\nx\r\n", HOLD],
]


@pytest.mark.parametrize(
    "script",
    SILENT_SCRIPTS,
    ids=["no header", "half a header", "no body", "half a body", "a chunk"],
)
def test_the_time_limit_applies_to_a_server_that_stops_sending(
    serve_tls: Any, create_fetcher: Any, script: list[bytes | None]
) -> None:
    server = serve_tls({"/a.png": script})
    error = error_of(create_fetcher(server, time_limit_s=0.5), server)
    assert error.code is ErrorCode.INPUT_FETCH_FAILED
    assert "exceeded the time limit" in error.detail
    assert len(server.requests) == 1


def test_the_time_limit_applies_to_all_redirects_together(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({"/a.png": response(b"", "Location: /b.png", status="302 Found"), "/b.png": [HOLD]})
    assert "exceeded the time limit" in error_of(create_fetcher(server, time_limit_s=0.5), server).detail
    assert len(server.requests) == 2


def test_the_time_limit_applies_to_the_tls_handshake(serve_tls: Any, create_fetcher: Any) -> None:
    server = serve_tls({}, handshake=False)
    assert "exceeded the time limit" in error_of(create_fetcher(server, time_limit_s=0.5), server).detail
