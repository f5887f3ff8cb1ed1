"""Responses to pages on other origins."""

import json
from typing import Any

import pytest

from jobs import wiring
from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import OPENAPI, Answer, send

PAGE, OTHER_PAGE = "https://images.example.com", "http://localhost:5173"
JOB = "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def deployed(deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch) -> InMemoryBackend:
    """A stage that allows two origins."""
    monkeypatch.setattr(wiring, "allowed_origins", lambda: (PAGE, OTHER_PAGE))
    return deployed


def cors(answer: Answer) -> dict[str, str]:
    """The headers that concern the origin."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name == "vary" or name.startswith("access-control-")
    }


def from_page(method: str, path: str, body: str | None = None, origin: str = PAGE, **headers: str) -> Answer:
    return send(method, path, body, headers={"Origin": origin, **headers})


def preflight(path: str, method: str = "POST", **arguments: Any) -> Answer:
    return from_page("OPTIONS", path, **arguments, **{"Access-Control-Request-Method": method})


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/models", None, 200),
        ("HEAD", "/v1/models", None, 200),
        ("POST", "/v1/jobs", '{"prompt": "x"}', 202),
        ("POST", "/v1/jobs", "{}", 422),
        ("GET", JOB, None, 404),
        ("GET", "/v1/unknown", None, 404),
        ("PUT", "/v1/jobs", None, 405),
    ],
)
def test_a_page_of_an_allowed_origin_reads_every_response(
    deployed: InMemoryBackend, origin: str, method: str, path: str, body: str | None, status: int
) -> None:
    answer = from_page(method, path, body, origin=origin)
    assert answer.status == status
    assert cors(answer) == {
        "vary": "Origin",
        "access-control-allow-origin": origin,
        "access-control-expose-headers": "Allow, ETag, Location, Retry-After, X-Should-Retry",
    }


def test_every_documented_header_of_responses_is_readable(deployed: InMemoryBackend) -> None:
    documented = {
        header
        for methods in OPENAPI["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for header in response.get("headers", {})
    }
    readable = cors(from_page("GET", "/v1/models"))["access-control-expose-headers"].split(", ")
    assert documented - {"Content-Security-Policy"} == {*readable}


def test_a_failure_is_readable(deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(wiring, "job_service", fail)
    answer = from_page("GET", "/v1/models")
    assert (answer.status, cors(answer)["access-control-allow-origin"]) == (500, PAGE)


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/jobs", "GET, HEAD, OPTIONS, POST"), (JOB, "DELETE, GET, HEAD, OPTIONS, PATCH")],
)
def test_a_preflight_is_answered_with_the_methods_of_the_path_and_the_headers_of_requests(
    deployed: InMemoryBackend, path: str, methods: str
) -> None:
    answer = preflight(path)
    assert (answer.status, answer.text, answer.headers["allow"]) == (204, "", methods)
    found = cors(answer)
    assert found["access-control-allow-origin"] == PAGE
    assert found["access-control-allow-methods"] == methods
    assert found["access-control-max-age"] == "7200"
    allowed = found["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key", "if-none-match", "x-api-key"} <= {*allowed}
    assert "access-control-allow-credentials" not in found


def test_every_documented_header_of_requests_is_allowed(deployed: InMemoryBackend) -> None:
    documented = {
        parameter["name"].lower()
        for methods in OPENAPI["paths"].values()
        for operation in methods.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "header"
    }
    allowed = cors(preflight("/v1/jobs"))["access-control-allow-headers"].split(", ")
    assert documented <= {*allowed}


def test_an_options_request_that_is_no_preflight_has_no_permissions(deployed: InMemoryBackend) -> None:
    found = cors(from_page("OPTIONS", "/v1/jobs"))
    assert {"access-control-allow-methods", "access-control-allow-headers"} & {*found} == set()


def test_a_preflight_of_an_unknown_path_permits_nothing(deployed: InMemoryBackend) -> None:
    answer = preflight("/v1/unknown")
    assert (answer.status, json.loads(answer.text)["code"]) == (404, "route_not_found")
    assert "access-control-allow-methods" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://images.example.com.evil.example",
        "https://evil.images.example.com",
        "https://images.example.com:8443",
        "https://images.example.com/",
        "http://images.example.com",
        "HTTPS://IMAGES.EXAMPLE.COM",
        f"{PAGE}, {OTHER_PAGE}",
        f" {PAGE}",
        "null",
        "*",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_origin_gets_the_response_without_permission(
    deployed: InMemoryBackend, origin: str, method: str
) -> None:
    headers = {"Access-Control-Request-Method": "GET"}
    answer = from_page(method, "/v1/models", origin=origin, **headers)
    assert (answer.status, cors(answer)) == (200 if method == "GET" else 204, {"vary": "Origin"})


def test_a_request_without_an_origin_gets_the_response_without_permission(deployed: InMemoryBackend) -> None:
    assert cors(send("GET", "/v1/models")) == {"vary": "Origin"}


def test_without_allowed_origins_no_response_names_an_origin(
    deployed: InMemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "allowed_origins", lambda: ())
    for answer in (from_page("GET", "/v1/models"), preflight("/v1/jobs"), from_page("GET", JOB)):
        assert cors(answer) == {}
