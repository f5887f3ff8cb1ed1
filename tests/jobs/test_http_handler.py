"""The HTTP handler: errors, and HEAD."""

import json

from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import post, send


def test_an_unexpected_error_is_a_500_without_internal_details(deployed: InMemoryBackend) -> None:
    deployed.jobs.create = lambda *_arguments: 1 / 0
    status, headers, problem = post({"prompt": "x"})
    assert (status, problem["code"]) == (500, "internal")
    assert headers["content-type"] == "application/problem+json"
    assert "division" not in json.dumps(problem)


def test_head_is_answered_like_get_without_a_body(deployed: InMemoryBackend) -> None:
    job = post({"prompt": "x"})[2]
    for path in ("/v1/models", "/v1/nothing", "/v1/uploads", "/v1/docs", job["links"]["self"]):
        head, get = send("HEAD", path), send("GET", path)
        assert (head.status, head.headers, head.text) == (get.status, get.headers, "")
