from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from local.page import is_built, page_routes

ORIGIN = "http://127.0.0.1:4566"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / ".built").touch()
    (tmp_path / "assets" / "main-4F2A.js").write_text("export {}")
    (tmp_path / "assets" / "main-99.css").write_text("body {}")
    return tmp_path


def client_of(directory: Path, base_url: str = "http://127.0.0.1:8080") -> TestClient:
    """A client of the page; every other path is answered with `api`."""

    async def api(_request: Request) -> Response:
        return PlainTextResponse("api")

    routes = page_routes(directory, api_key="secret", storage_origin=ORIGIN)
    app = Starlette(routes=[*routes, Route("/{path:path}", api, methods=["GET", "HEAD", "POST"])])
    return TestClient(app, base_url=base_url)


@pytest.fixture
def page(dist: Path) -> Iterator[TestClient]:
    with client_of(dist) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type", "cache_control"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/assets/main-4F2A.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/main-99.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
    ],
)
def test_a_file_has_its_type_and_lifetime(
    page: TestClient, path: str, content_type: str, cache_control: str
) -> None:
    got, head = page.get(path), page.head(path)
    assert (got.status_code, got.headers["content-type"]) == (200, content_type)
    assert got.headers["cache-control"] == cache_control
    assert (head.status_code, head.content, head.headers) == (200, b"", got.headers)


def test_a_file_allows_nothing_but_the_page_and_the_storage(page: TestClient) -> None:
    headers = page.get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert f"connect-src 'self' {ORIGIN};" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers


def test_a_file_that_the_client_has_is_not_sent_again(page: TestClient) -> None:
    etag = page.get("/").headers["etag"]
    response = page.get("/", headers={"if-none-match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/v1/jobs", "/unknown", "/.built", "/index.html", "/assets/..%2Findex.html", "/assets/a/b.js"]
)
def test_other_paths_belong_to_the_api(page: TestClient, path: str) -> None:
    assert page.get(path).text == "api"


def test_other_methods_belong_to_the_api(page: TestClient) -> None:
    assert page.post("/").text == "api"


@pytest.mark.parametrize("name", ["main-old.js", "%00", "%2e%2e", "a" * 300])
def test_an_unknown_asset_is_a_404(page: TestClient, name: str) -> None:
    assert_problem(page.get(f"/assets/{name}"), ErrorCode.ROUTE_NOT_FOUND, "no such file")


def assert_problem(response: httpx2.Response, code: ErrorCode, detail: str) -> None:
    problem = Problem.model_validate_json(response.content)
    assert (response.status_code, problem.code) == (problem.status, code)
    assert detail in problem.detail
    assert response.headers["content-type"] == CONTENT_TYPE


def test_a_page_that_has_not_been_built_says_how_to_build_it(tmp_path: Path) -> None:
    assert not is_built(tmp_path)
    with client_of(tmp_path / "missing") as page:
        assert_problem(page.get("/"), ErrorCode.ROUTE_NOT_FOUND, "run `make web`")
        assert page.get("/v1/jobs").text == "api"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"])
def test_the_configuration_has_the_key_at_a_loopback_address(dist: Path, host: str) -> None:
    with client_of(dist) as page:
        response = page.get("/config.json", headers={"host": host})
    assert response.json() == {"auth": {"type": "api_key", "key": "secret"}}
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "127.0.0.1.attacker.example", "localhost@attacker.example", "", "[::1", "10.0.0.1"],
)
def test_the_configuration_is_refused_at_another_host(dist: Path, host: str) -> None:
    with client_of(dist) as page:
        response = page.get("/config.json", headers={"host": host, "origin": f"http://{host}"})
    assert_problem(response, ErrorCode.FORBIDDEN, "contains the API key")
    assert "secret" not in response.text
    assert "access-control-allow-origin" not in response.headers
