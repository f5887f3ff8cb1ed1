"""A page on another origin uses the API: preflights, responses and refusals as API Gateway passes them on."""

from collections.abc import Iterator

import httpx
import pytest

from local.stack import LocalStack
from tests.e2e.client import submit

FOREIGN = "https://elsewhere.example.com"


@pytest.fixture
def page(stack: LocalStack) -> str:
    """An origin that the stack allows."""
    return f"http://localhost:{httpx.URL(stack.address.api_url).port}"


@pytest.fixture
def anonymous(stack: LocalStack) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=stack.address.api_url, timeout=60) as client:
        yield client


def test_a_preflight_needs_no_key_and_permits_the_request(anonymous: httpx.Client, page: str) -> None:
    for path, method in (("/v1/jobs", "POST"), ("/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "PATCH")):
        answer = anonymous.options(path, headers={"Origin": page, "Access-Control-Request-Method": method})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == page
        assert method in answer.headers["access-control-allow-methods"].split(", ")
        assert "x-api-key" in answer.headers["access-control-allow-headers"].split(", ")


def test_a_page_reads_responses_and_their_headers(http: httpx.Client, page: str) -> None:
    job = submit(http, steps=1)
    for origin in (page, page.replace("localhost", "127.0.0.1")):
        answer = http.get(job["links"]["self"], headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert "ETag" in answer.headers["access-control-expose-headers"].split(", ")
        assert answer.headers["vary"] == "Origin"


def test_a_page_reads_the_refusal_of_a_request_without_a_key(anonymous: httpx.Client, page: str) -> None:
    refused = anonymous.get("/v1/jobs", headers={"Origin": page})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert refused.headers["access-control-allow-origin"] == page


def test_another_origin_is_not_allowed(http: httpx.Client, anonymous: httpx.Client) -> None:
    headers = {"Origin": FOREIGN}
    preflight = anonymous.options("/v1/jobs", headers=headers | {"Access-Control-Request-Method": "POST"})
    for answer in (http.get("/v1/models", headers=headers), preflight):
        assert answer.is_success
        assert "access-control-allow-origin" not in answer.headers
