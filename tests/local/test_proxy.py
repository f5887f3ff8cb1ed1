import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator

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
