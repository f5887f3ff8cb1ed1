"""CORS: what browsers tell the pages of other origins about responses.

Origins are compared exactly, and credentials of the browser, such as cookies, are never allowed. Requests are
not refused for their origin: authentication decides on them, and only browsers send a true origin.
"""

from collections.abc import Collection
from dataclasses import replace
from http import HTTPStatus

from jobs.http.request import Request
from jobs.http.responses import Response

_READABLE_HEADERS = "Allow, ETag, Location, Retry-After, X-Should-Retry"
_REQUEST_HEADERS = (
    "authorization, content-type, idempotency-key, if-none-match, prefer, x-amz-content-sha256, "
    "x-amz-date, x-amz-security-token, x-api-key, x-sm-endpoint"
)
"""With those of requests that are signed with AWS credentials."""

_MAX_AGE_S = 7200
"""The longest time that Chromium remembers a preflight for."""


def with_cors(request: Request, response: Response, allowed_origins: Collection[str]) -> Response:
    """The response as a page may read it. Without allowed origins, the response itself."""
    if not allowed_origins:
        return response
    headers = {"Vary": "Origin"}
    origin = request.headers.get("origin")
    if origin is not None and origin in allowed_origins:
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _READABLE_HEADERS}
        if _is_preflight(request) and response.status is HTTPStatus.NO_CONTENT:
            headers |= {
                "Access-Control-Allow-Methods": response.headers["Allow"],
                "Access-Control-Allow-Headers": _REQUEST_HEADERS,
                "Access-Control-Max-Age": str(_MAX_AGE_S),
            }
    return replace(response, headers=response.headers | headers)


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers
