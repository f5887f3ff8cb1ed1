"""Routing: unknown paths, and the methods of each path."""

import pytest

from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import call, send

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
JOB = "/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/nothing"),
        ("OPTIONS", "/v1"),
        ("GET", "/"),
        ("GET", "/v1/jobs/"),
        ("GET", "/v1/models/demo"),
        ("GET", "/v1/openapi_json"),
        ("POST", f"{JOB}/cancel/"),
    ],
)
def test_an_unknown_path_is_a_404(deployed: InMemoryBackend, method: str, path: str) -> None:
    status, headers, problem = call(method, path)
    assert (status, problem["code"]) == (404, "route_not_found")
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/jobs", "GET, HEAD, OPTIONS, POST"),
        (JOB, "DELETE, GET, HEAD, OPTIONS, PATCH"),
        (f"{JOB}/cancel", "OPTIONS, POST"),
        ("/v1/uploads", "OPTIONS, POST"),
        ("/v1/models", "GET, HEAD, OPTIONS"),
        ("/v1/samplers", "GET, HEAD, OPTIONS"),
        ("/v1/adapters", "GET, HEAD, OPTIONS"),
        ("/v1/openapi.json", "GET, HEAD, OPTIONS"),
        ("/v1/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_of_a_path_is_a_405_that_lists_its_methods(
    deployed: InMemoryBackend, path: str, allowed: str
) -> None:
    options = send("OPTIONS", path)
    assert (options.status, options.headers["allow"], options.text) == (204, allowed, "")
    for method in METHODS - {*allowed.split(", ")}:
        status, headers, problem = call(method, path)
        assert (status, problem["code"], headers["allow"]) == (405, "method_not_allowed", allowed)
        assert headers["content-type"] == "application/problem+json"
        assert problem["detail"] == f"The methods of this path are {allowed}."
