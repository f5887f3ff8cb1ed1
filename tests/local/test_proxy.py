import asyncio
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPResponse

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from local.processes import free_port
from local.proxy import create_proxy
from local.web_server import WebServer, listen

Start = Callable[..., str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server with one handler, or a proxy with a URL; returns the server's URL."""
    servers = []

    def start(served: Starlette) -> str:
        servers.append(WebServer(served, listen(0)))
        return servers[-1].url

    yield start
    for server in reversed(servers):
        server.stop()


def stage(handler: Callable[[Request], object]) -> Starlette:
    return Starlette(routes=[Route("/{path:path}", handler, methods=["GET", "POST"])])


def proxy(stage_url: str, **settings: float) -> Starlette:
    return create_proxy(stage_url, ssl.create_default_context(), **settings)


def get_in_parallel(
    url: str, count: int, on_response: Callable[[int], None] = lambda _number: None
) -> list[httpx.Response]:
    """The responses in the order in which they arrive; `on_response` is called with their number so far."""

    async def get_all() -> list[httpx.Response]:
        responses: list[httpx.Response] = []
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            for response in asyncio.as_completed([http.get(url) for _ in range(count)]):
                responses.append(await response)
                on_response(len(responses))
        return responses

    return asyncio.run(get_all())


def test_requests_and_responses_are_forwarded(start: Start) -> None:
    async def echo(request: Request) -> Response:
        body = {
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "key": request.headers.get("x-api-key"),
            "body": (await request.body()).decode(),
        }
        return JSONResponse(body, status_code=418, headers={"Location": "/v1/jobs/J", "Retry-After": "2"})

    url = start(proxy(f"{start(stage(echo))}/restapis/abc/dev/_user_request_"))
    response = httpx.post(f"{url}/v1/jobs?limit=5&limit=6", content="körper", headers={"x-api-key": "k"})
    assert response.status_code == 418
    assert response.json() == {
        "method": "POST",
        "path": "/restapis/abc/dev/_user_request_/v1/jobs",
        "query": "limit=5&limit=6",
        "key": "k",
        "body": "körper",
    }
    assert (response.headers["location"], response.headers["retry-after"]) == ("/v1/jobs/J", "2")


def exchange(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Sends the bytes of a request, which no client library would send; returns the response."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        connection.sendall(request + b"\r\nHost: api\r\nConnection: close\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()


def problem_of(response: tuple[int, dict[str, str], bytes]) -> Problem:
    status, headers, body = response
    problem = Problem.model_validate_json(body)
    assert (problem.status, headers["content-type"]) == (status, CONTENT_TYPE)
    return problem


@pytest.mark.parametrize(
    "target",
    [
        "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV%2Fcancel",
        "/v1/jobs/%252F%20%C3%A9%FF?a=%2F&b=%00",
        "/v1//jobs/;a=b,c/",
        "/../../../_ministack/reset",
        "/v1/%2e%2e/%2E%2E/x",
        "/v1/./models?",
        "/v1/openapi.json?a=b?c&d",
        "/v1/" + "%41" * 10_000,
    ],
)
def test_the_function_receives_the_path_as_it_was_sent(start: Start, target: str) -> None:
    async def echo(request: Request) -> Response:
        return JSONResponse([request.scope["path"], request.url.query])

    url = start(proxy(f"{start(stage(echo))}/restapis/abc/dev/_user_request_"))
    status, _, body = exchange(url, f"GET {target} HTTP/1.1".encode())
    path, _, query = target.partition("?")
    assert (status, json.loads(body)) == (200, [f"/restapis/abc/dev/_user_request_{path}", query])


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /v1/models%00 HTTP/1.1",
        b"GET /v1/models%0A HTTP/1.1",
        b"GET /v1/%7Fmodels HTTP/1.1",
        b"GET /v1/models HTTP/1.1\r\nx-api-key: a\x01b",
        b"GET /v1/models HTTP/1.1\r\nx-other: a\x7fb",
        b"GET /v1/" + b"%41" * 20_000 + b" HTTP/1.1",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_control_characters_and_a_path_that_is_too_long_are_refused(
    start: Start, request_line: bytes, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    url = start(proxy(f"http://127.0.0.1:{free_port()}"))
    assert problem_of(exchange(url, request_line)).code is ErrorCode.MALFORMED_REQUEST
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_headers_are_forwarded_as_bytes(start: Start) -> None:
    async def echo(request: Request) -> Response:
        values = [value.decode("latin-1") for name, value in request.headers.raw if name == b"x-name"]
        response = JSONResponse(values)
        response.raw_headers += [(b"x-name", b"\xe9"), (b"x-name", b"b")]
        return response

    url = start(proxy(start(stage(echo))))
    status, headers, body = exchange(url, b"GET /v1/models HTTP/1.1\r\nX-Name: \xff\tz\r\nX-Name: b")
    assert (status, json.loads(body)) == (200, ["ÿ\tz", "b"])
    assert headers["x-name"] == "b"  # the last one; both are sent


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_a_method_that_the_api_never_has_is_a_405(start: Start, method: str) -> None:
    url = start(proxy(f"http://127.0.0.1:{free_port()}"))
    status, headers, body = exchange(url, f"{method} /v1/jobs HTTP/1.1".encode())
    assert problem_of((status, headers, body)).code is ErrorCode.METHOD_NOT_ALLOWED
    assert headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize("target", ["*", "http://elsewhere/v1/models"])
def test_a_target_that_is_no_path_is_a_404(start: Start, target: str) -> None:
    url = start(proxy(f"http://127.0.0.1:{free_port()}"))
    problem = problem_of(exchange(url, f"OPTIONS {target} HTTP/1.1".encode()))
    assert problem.code is ErrorCode.ROUTE_NOT_FOUND


def test_a_head_request_is_forwarded(start: Start) -> None:
    async def echo(request: Request) -> Response:
        return Response(headers={"x-method": request.method})

    url = start(proxy(start(stage(echo))))
    assert httpx.head(f"{url}/v1/models").headers["x-method"] == "HEAD"


def test_no_more_requests_than_the_limit_are_forwarded_at_once(start: Start) -> None:
    active: set[Request] = set()
    counts: list[int] = []

    async def count(request: Request) -> Response:
        active.add(request)
        counts.append(len(active))
        await asyncio.sleep(0.005)
        active.remove(request)
        return Response()

    url = start(proxy(start(stage(count)), max_concurrent_requests=3))
    assert Counter(response.status_code for response in get_in_parallel(url, 100)) == {200: 100}
    assert len(counts) == 100
    assert max(counts) <= 3


def test_a_request_that_waits_too_long_gets_429(
    start: Start, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    finish = threading.Event()

    async def wait(_request: Request) -> Response:
        await asyncio.to_thread(finish.wait, 60)
        return Response()

    url = start(proxy(start(stage(wait)), max_concurrent_requests=1, queue_timeout_s=0.1))
    *refused, processed = get_in_parallel(url, 4, lambda number: finish.set() if number == 3 else None)
    for response in refused:
        assert_unavailable(response, ErrorCode.TOO_MANY_REQUESTS, "processes 1 requests at once")
    assert processed.status_code == 200
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def test_a_body_beyond_the_limit_of_lambda_gets_413_and_is_not_forwarded(start: Start) -> None:
    sizes = []

    async def measure(request: Request) -> Response:
        sizes.append(len(await request.body()))
        return Response()

    url = start(proxy(start(stage(measure))))
    assert httpx.post(url, content=b"x" * 6_200_000, timeout=60).status_code == 200
    refused = httpx.post(url, content=b"x" * 10_000_000, timeout=60)
    problem = Problem.model_validate_json(refused.content)
    assert (refused.status_code, problem.code) == (413, ErrorCode.PAYLOAD_TOO_LARGE)
    assert "s3://" in problem.detail
    assert sizes == [6_200_000]


def test_a_form_is_limited_to_what_lambda_accepts_in_base64(start: Start) -> None:
    async def measure(request: Request) -> Response:
        return JSONResponse(len(await request.body()))

    url = start(proxy(start(stage(measure))))
    headers = {"content-type": "multipart/form-data; boundary=b"}
    accepted = httpx.post(url, content=b"x" * 4_700_000, headers=headers, timeout=60)
    assert accepted.json() == 4_700_000
    assert httpx.post(url, content=b"x" * 4_800_000, headers=headers, timeout=60).status_code == 413


def test_the_stage_learns_the_address_that_the_client_has_called(start: Start) -> None:
    async def echo(request: Request) -> Response:
        names = ("x-forwarded-host", "x-forwarded-proto")
        return JSONResponse([request.headers.getlist(name) for name in names])

    url = start(proxy(start(stage(echo))))
    claimed = {"x-forwarded-host": "other", "x-forwarded-proto": "https"}
    assert httpx.get(url, headers=claimed).json() == [[url.removeprefix("http://")], ["http"]]


def test_a_stage_that_does_not_respond_is_reported_as_503(
    start: Start, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    url = start(proxy(f"http://127.0.0.1:{free_port()}"))
    assert_unavailable(httpx.get(url), ErrorCode.ENDPOINT_UNAVAILABLE, "ConnectError")
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def assert_unavailable(response: httpx.Response, code: ErrorCode, detail: str) -> None:
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (problem.status, code)
    assert detail in problem.detail
    assert "\n" not in response.text
    assert response.headers["content-type"] == CONTENT_TYPE
    assert int(response.headers["retry-after"]) > 0
