"""A reverse proxy that serves the API's stage of the emulated API Gateway at the root of one address."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem

_MAX_CONCURRENT_REQUESTS = 8
"""MiniStack starts a process per concurrent invocation of a function; 100 at once exhaust a small machine."""

_QUEUE_TIMEOUT_S = 30.0
_UPSTREAM_TIMEOUT_S = 60.0
_RETRY_AFTER_S = 5
_HOP_BY_HOP_HEADERS = {
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "server",
    "te",
    "transfer-encoding",
    "upgrade",
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_proxy(
    stage_url: str,
    tls: ssl.SSLContext,
    *,
    max_concurrent_requests: int = _MAX_CONCURRENT_REQUESTS,
    queue_timeout_s: float = _QUEUE_TIMEOUT_S,
) -> Starlette:
    """Creates the proxy.

    Args:
        stage_url: base URL of the stage in the emulated API Gateway, without a trailing slash.
        tls: the TLS settings for requests to it.
        max_concurrent_requests: further requests wait until one of these has finished.
        queue_timeout_s: a request that waits longer gets status 429.
    """
    upstream = httpx.AsyncClient(timeout=_UPSTREAM_TIMEOUT_S, verify=tls)
    slots = asyncio.Semaphore(max_concurrent_requests)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with upstream:
            yield

    async def queue(request: Request) -> Response:
        try:
            async with asyncio.timeout(queue_timeout_s):
                await slots.acquire()
        except TimeoutError:
            return _unavailable(
                ErrorCode.TOO_MANY_REQUESTS,
                f"The local stack processes {max_concurrent_requests} requests at once, and this one waited "
                f"for {queue_timeout_s:g} s. Send fewer requests at once.",
            )
        try:
            return await forward(request)
        except httpx.TransportError as error:
            return _unavailable(
                ErrorCode.ENDPOINT_UNAVAILABLE,
                f"The emulated API Gateway did not respond ({type(error).__name__}). Try again later.",
            )
        finally:
            slots.release()

    async def forward(request: Request) -> Response:
        response = await upstream.request(
            request.method,
            f"{stage_url}{request.url.path}",
            params=str(request.query_params),
            headers=_end_to_end(request.headers.items()),
            content=await request.body(),
        )
        return Response(response.content, response.status_code, _end_to_end(response.headers.items()))

    return Starlette(lifespan=lifespan, routes=[Route("/{path:path}", queue, methods=_METHODS)])


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers without those of one connection and those that describe the encoded body."""
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP_HEADERS}


def _unavailable(code: ErrorCode, detail: str) -> Response:
    problem = Problem.of(code, detail)
    headers = {"Content-Type": CONTENT_TYPE, "Retry-After": str(_RETRY_AFTER_S)}
    return Response(problem.model_dump_json(), problem.status, headers)
