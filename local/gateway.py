"""The one address: passes /v1/... on to the API's stage in the emulated cloud."""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_OWN = {
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


def create_gateway(stage_url: str, trust: ssl.SSLContext) -> Starlette:
    """A reverse proxy in front of a deployed stage.

    Args:
        stage_url: where the emulated API Gateway serves the stage, without a slash at the end.
        trust: for reaching it over https.
    """
    upstream = httpx.AsyncClient(timeout=60, verify=trust)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with upstream:
            yield

    async def forward(request: Request) -> Response:
        answer = await upstream.request(
            request.method,
            f"{stage_url}{request.url.path}",
            params=str(request.query_params),
            headers=_end_to_end(request.headers.items()),
            content=await request.body(),
        )
        return Response(answer.content, answer.status_code, _end_to_end(answer.headers.items()))

    return Starlette(lifespan=lifespan, routes=[Route("/{path:path}", forward, methods=_METHODS)])


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that concern both ends; the body has been decoded on the way."""
    return {name: value for name, value in headers if name.lower() not in _OWN}
