"""The API's description: the OpenAPI document, and a page that shows it."""

from functools import cache
from http import HTTPStatus
from pathlib import Path

import contract
from jobs.http.docs_page import content_security_policy, docs_page
from jobs.http.operation import Answer, Operation
from jobs.http.request import Request
from jobs.http.responses import Response, json_response

_DOCUMENT = Path(contract.__file__).parents[1] / "docs" / "openapi.json"
"""Beside contract/ in the repository as in the functions' bundle."""


@cache
def _openapi_json() -> str:
    return _DOCUMENT.read_text()


def _openapi(_request: Request) -> Response:
    """Returns this document."""
    return json_response(HTTPStatus.OK, _openapi_json())


def _docs(_request: Request) -> Response:
    """Returns a page that shows this document. The page loads nothing from other hosts."""
    return Response(
        status=HTTPStatus.OK,
        body=docs_page(_openapi_json()),
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


OPERATIONS = (
    Operation(
        id="getOpenapi",
        method="GET",
        path="/v1/openapi.json",
        handle=_openapi,
        summary="The OpenAPI document",
        is_public=True,
        answers=(
            Answer(status=HTTPStatus.OK, description="The OpenAPI 3.1 document of this API.", content=dict),
        ),
    ),
    Operation(
        id="getDocs",
        method="GET",
        path="/v1/docs",
        handle=_docs,
        summary="The API reference as a page",
        is_public=True,
        answers=(
            Answer(
                status=HTTPStatus.OK,
                description="An HTML page.",
                content=str,
                media_type="text/html",
                headers=("Content-Security-Policy",),
            ),
        ),
    ),
)
