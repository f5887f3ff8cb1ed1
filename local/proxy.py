"""The local gateway: the API's stage of the emulated API Gateway and the web page, at one address."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from contract.problem import ErrorCode
from local.problems import problem_response

_MAX_CONCURRENT_REQUESTS = 8
"""MiniStack starts a process per concurrent invocation of a function; 100 at once exhaust a small machine."""

_MAX_BODY_BYTES = 6 * 2**20 - 2**14
"""Lambda accepts events of 6 MiB, which contain the body and the headers; API Gateway then answers 413."""

_MAX_FORM_BYTES = _MAX_BODY_BYTES * 3 // 4
"""Forms with files are in the event in base64."""

_QUEUE_TIMEOUT_S = 30.0
_UPSTREAM_TIMEOUT_S = 60.0
_RETRY_AFTER_S = 5
_REPLACED_HEADERS = {
    b"connection",
    b"content-encoding",
    b"content-length",
    b"date",
    b"host",
    b"keep-alive",
    b"server",
    b"te",
    b"transfer-encoding",
    b"upgrade",
    b"x-forwarded-host",
    b"x-forwarded-proto",
}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_CHARACTER_IN_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_Headers = list[tuple[bytes, bytes]]


def create_proxy(
    stage_url: str,
    tls: ssl.SSLContext,
    *,
    own_routes: Sequence[BaseRoute] = (),
    max_concurrent_requests: int = _MAX_CONCURRENT_REQUESTS,
    queue_timeout_s: float = _QUEUE_TIMEOUT_S,
) -> Starlette:
    """Creates the proxy.

    Args:
        stage_url: base URL of the stage in the emulated API Gateway, without a trailing slash.
        tls: the TLS settings for requests to it.
        own_routes: what the proxy answers itself.
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
        if _has_control_characters(request):
            return problem_response(
                ErrorCode.MALFORMED_REQUEST, "The path or a header contains control characters; remove them."
            )
        try:
            async with asyncio.timeout(queue_timeout_s):
                await slots.acquire()
        except TimeoutError:
            return problem_response(
                ErrorCode.TOO_MANY_REQUESTS,
                f"The local stack processes {max_concurrent_requests} requests at once, and this one waited "
                f"for {queue_timeout_s:g} s. Send fewer requests at once.",
                retry_after_s=_RETRY_AFTER_S,
            )
        try:
            return await forward(request)
        except _BodyTooLargeError:
            return problem_response(
                ErrorCode.PAYLOAD_TOO_LARGE, "Upload large images to S3 and pass their s3:// URIs."
            )
        except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
            return problem_response(ErrorCode.MALFORMED_REQUEST, f"The request cannot be forwarded: {error}.")
        except httpx.TransportError as error:
            return problem_response(
                ErrorCode.ENDPOINT_UNAVAILABLE,
                f"The emulated API Gateway did not respond ({type(error).__name__}). Try again later.",
                retry_after_s=_RETRY_AFTER_S,
            )
        finally:
            slots.release()

    async def forward(request: Request) -> Response:
        response = await upstream.request(
            request.method,
            stage_url + _upstream_path(request),
            headers=_end_to_end(request.headers.raw) + _forwarded(request),
            content=await _read_body(request),
        )
        forwarded = Response(response.content, response.status_code)
        forwarded.raw_headers += _end_to_end(response.headers.raw)
        return forwarded

    return Starlette(
        lifespan=lifespan,
        routes=[*own_routes, Route("/{path:path}", queue, methods=_METHODS)],
        exception_handlers={HTTPException: _on_http_error},
    )


class _BodyTooLargeError(Exception):
    """The body exceeds Lambda's limit."""


async def _read_body(request: Request) -> bytes:
    """The body.

    Raises:
        _BodyTooLargeError: it exceeds Lambda's limit; it was read, since clients write it before they read.
    """
    is_form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    limit = _MAX_FORM_BYTES if is_form else _MAX_BODY_BYTES
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            body += chunk
    if size > limit:
        raise _BodyTooLargeError
    return bytes(body)


def _has_control_characters(request: Request) -> bool:
    values = (value for header in request.headers.raw for value in header)
    return bool(
        _CONTROL_CHARACTER.search(request.scope["path"])
        or any(map(_CONTROL_CHARACTER_IN_HEADER.search, values))
    )


def _upstream_path(request: Request) -> str:
    """Path and query as the client sent them.

    MiniStack decodes the path once, and httpx resolves its dot segments. Escapes and dots are therefore
    encoded, so that the function receives an encoded slash as it was sent, and no path leaves the stage.
    """
    path = quote(request.scope["raw_path"], safe="/").replace(".", "%2E")
    query = quote(request.scope["query_string"], safe="%/?:@!$&'()*+,;=")
    return f"{path}?{query}" if query else path


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    """The headers without those of one connection, of the encoded body and of the client's address."""
    return [(name, value) for name, value in headers if name.lower() not in _REPLACED_HEADERS]


def _forwarded(request: Request) -> _Headers:
    """The address that the client has called, of which the API makes absolute URLs."""
    return [(b"x-forwarded-host", request.url.netloc.encode()), (b"x-forwarded-proto", b"http")]


async def _on_http_error(_request: Request, error: Exception) -> Response:
    """The response to a path or method that the proxy does not forward."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_METHODS)
        response = problem_response(ErrorCode.METHOD_NOT_ALLOWED, f"The methods of the API are {allowed}.")
        response.headers["Allow"] = allowed
        return response
    return problem_response(ErrorCode.ROUTE_NOT_FOUND, "GET /v1/openapi.json returns the API's description.")
