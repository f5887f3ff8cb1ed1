import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.web_server import PortTakenError, WebServer, listen


async def no_content(_request: Request) -> Response:
    return Response(status_code=204)


def test_a_port_in_use_is_refused() -> None:
    with listen(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} is in use by another program"):
            listen(port)


def test_stop_frees_the_port() -> None:
    bound = listen(0)
    port = bound.getsockname()[1]
    server = WebServer(Starlette(routes=[Route("/x", no_content)]), bound)
    assert httpx.get(f"{server.url}/x").status_code == 204
    server.stop()
    listen(port).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)
