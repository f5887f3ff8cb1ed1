"""Calls of the HTTP handler with events of API Gateway."""

import importlib
import json
import re
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.conftest import ROOT

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
CONTEXT = SimpleNamespace(
    function_name="jobs",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:jobs",
    aws_request_id="request-1",
)


class Answer(NamedTuple):
    """A response: its status, its headers with names in lower case, and its body."""

    status: int
    headers: dict[str, str]
    text: str


def send(method: str, path: str, body: str | None = None, **event: Any) -> Answer:
    """Calls the handler; `event` replaces fields of API Gateway's event."""
    request = {
        "httpMethod": method,
        "path": path,
        "resource": "/v1/{proxy+}",
        "headers": None,
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "api-1", "stage": "dev", "httpMethod": method, "path": f"/dev{path}"},
        "body": body,
        "isBase64Encoded": False,
        **event,
    }
    response = importlib.import_module("jobs.http_handler").handler(request, CONTEXT)
    _check_documented(method, path, response)
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Answer(response["statusCode"], headers, response["body"])


def _check_documented(method: str, path: str, response: dict[str, Any]) -> None:
    """Checks that the OpenAPI document has the response's status, media type and headers."""
    method = "get" if method == "HEAD" else method.lower()
    for template, methods in OPENAPI["paths"].items():
        if method in methods and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            documented = methods[method]["responses"][str(response["statusCode"])]
            headers = dict(response["headers"])
            media_type = headers.pop("Content-Type", "").partition(";")[0]
            assert media_type in documented.get("content", {"": "no body"})
            described = {*documented.get("headers", {}), "X-Content-Type-Options", "Referrer-Policy", "Vary"}
            undescribed = {*headers} - described
            assert all(name.startswith("Access-Control-") for name in undescribed), (headers, template)


def call(
    method: str,
    path: str,
    body: str | None = None,
    *,
    key: str = "default",
    query: dict[str, str] | None = None,
    **headers: str,
) -> tuple[int, dict[str, str], Any]:
    """Calls the handler as the caller with an API key.

    Returns:
        The status, the headers, and the parsed body; None if it is empty.
    """
    context = {"requestId": "api-1", "identity": {"apiKeyId": key}}
    answer = send(
        method,
        path,
        body,
        headers=headers or None,
        requestContext=context,
        **query_event(query or {}),
    )
    return answer.status, answer.headers, json.loads(answer.text) if answer.text else None


def query_event(query: dict[str, str]) -> dict[str, Any]:
    """The fields of an event with query parameters."""
    return {
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
    }


def post(document: Any, *, key: str = "default", **headers: str) -> tuple[int, dict[str, str], Any]:
    """Submits a job."""
    return call("POST", "/v1/jobs", json.dumps(document), key=key, **headers)
