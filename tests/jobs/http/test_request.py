"""Requests of API Gateway's events."""

from typing import Any

import pytest

from jobs.http.request import Request


def of(context: dict[str, str], headers: dict[str, str] | None = None) -> Request:
    event: dict[str, Any] = {
        "requestContext": {"requestId": "api-1", **context},
        "httpMethod": "GET",
        "path": "/v1/jobs",
        "headers": headers,
    }
    return Request.of(event)


@pytest.mark.parametrize(
    ("context", "headers", "url"),
    [
        (
            {"domainName": "a.execute-api.eu-west-1.amazonaws.com", "path": "/dev/v1/jobs"},
            {"X-Forwarded-Proto": "https"},
            "https://a.execute-api.eu-west-1.amazonaws.com/dev",
        ),
        ({"domainName": "images.example.com", "path": "/v1/jobs"}, None, "https://images.example.com"),
        (
            {"domainName": "127.0.0.1:8080", "path": "/v1/jobs"},
            {"x-forwarded-proto": "http"},
            "http://127.0.0.1:8080",
        ),
        ({"domainName": "a", "path": "/v1/jobs"}, {"x-forwarded-proto": "javascript"}, "https://a"),
    ],
)
def test_the_base_url_is_the_address_that_the_client_has_called(
    context: dict[str, str], headers: dict[str, str] | None, url: str
) -> None:
    assert of(context, headers).base_url == url
