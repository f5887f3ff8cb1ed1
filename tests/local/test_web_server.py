import socket
import ssl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gateway import create_gateway
from local.web_server import PortTakenError, WebServer, listen


async def echo(request: Request) -> Response:
    body = {
        "method": request.method,
        "path": request.url.path,
        "query": request.url.query,
        "key": request.headers.get("x-api-key"),
        "body": (await request.body()).decode(),
    }
    return JSONResponse(body, status_code=418, headers={"Location": "/v1/jobs/J", "Retry-After": "2"})


def test_a_taken_port_is_named() -> None:
    with listen(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} is taken by another program"):
            listen(port)


def test_a_stopped_server_frees_its_port_at_once() -> None:
    bound = listen(0)
    port = bound.getsockname()[1]
    server = WebServer(Starlette(routes=[Route("/{path:path}", echo)]), bound)
    assert httpx.get(f"{server.url}/x").status_code == 418
    server.stop()
    listen(port).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_the_gateway_passes_everything_on_and_back() -> None:
    upstream = WebServer(Starlette(routes=[Route("/{path:path}", echo, methods=["POST"])]), listen(0))
    stage_url = f"{upstream.url}/restapis/abc/dev/_user_request_"
    gateway = WebServer(create_gateway(stage_url, ssl.create_default_context()), listen(0))
    try:
        answer = httpx.post(
            f"{gateway.url}/v1/jobs?limit=5&limit=6", content="körper", headers={"x-api-key": "k"}
        )
        assert answer.status_code == 418
        assert answer.json() == {
            "method": "POST",
            "path": "/restapis/abc/dev/_user_request_/v1/jobs",
            "query": "limit=5&limit=6",
            "key": "k",
            "body": "körper",
        }
        assert (answer.headers["location"], answer.headers["retry-after"]) == ("/v1/jobs/J", "2")
    finally:
        gateway.stop()
        upstream.stop()
