"""The OpenAPI document and the page that shows it."""

import base64
import hashlib
import json
import re

from tests.conftest import ROOT
from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import call, send


def test_the_committed_openapi_document_is_served(deployed: InMemoryBackend) -> None:
    status, headers, document = call("GET", "/v1/openapi.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert document == json.loads((ROOT / "docs" / "openapi.json").read_text())


def test_the_page_contains_the_document(deployed: InMemoryBackend) -> None:
    answer = send("GET", "/v1/docs")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    (text,) = re.findall(r'<script type="application/json" id="openapi">(.*?)</script>', answer.text, re.S)
    assert json.loads(text) == call("GET", "/v1/openapi.json")[2]
    assert len(json.dumps(answer.text)) < 6_000_000


def test_the_page_runs_its_own_scripts_only_and_loads_nothing(deployed: InMemoryBackend) -> None:
    answer = send("GET", "/v1/docs")
    policy = dict(
        directive.strip().split(" ", 1) for directive in answer.headers["content-security-policy"].split(";")
    )
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.S)
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert (policy["connect-src"], policy["img-src"]) == ("'self'", "data:")
    assert (policy["frame-ancestors"], policy["form-action"], policy["base-uri"]) == ("'none'",) * 3
    assert re.findall(r"<(?:link|img|iframe|script)\b[^>]*\b(?:src|href)=", answer.text) == []
    assert answer.headers["x-content-type-options"] == "nosniff"
