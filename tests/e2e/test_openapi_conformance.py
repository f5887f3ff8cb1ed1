"""Requests generated from the OpenAPI document are answered as it says, whether they are valid or not."""

import sys
from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bench.front.load import lift_throttle
from local.emulator import Parts
from local.stack import LocalStack
from tests.conftest import ROOT

# Every bound of every field of the compatible APIs would be thousands of requests, of which many are jobs.
CONFIG = SchemathesisConfig.from_dict(
    {"operations": [{"exclude-path-regex": "^/v1/(?!images/)", "phases": {"coverage": {"enabled": False}}}]}
)
SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json", config=CONFIG)
CONTAINER = (sys.executable, "-m", "tests.e2e.clients.late_container")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 12
"""Of each operation."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose container answers at once: valid requests may ask for hours of work."""
    parts = Parts(container=CONTAINER)
    stack = LocalStack.start(port=0, directory=tmp_path_factory.mktemp("stub"), report=print, parts=parts)
    lift_throttle(stack)
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def statuses() -> Iterator[Counter[int]]:
    """The statuses of all responses."""
    found: Counter[int] = Counter()
    yield found
    assert found[202] > EXAMPLES / 5, found
    assert found[422] > EXAMPLES / 5, found


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
def test_each_response_is_documented(
    case: schemathesis.Case, stack: LocalStack, statuses: Counter[int]
) -> None:
    response = case.call(base_url=stack.address.api_url, headers={"x-api-key": stack.address.api_key})
    statuses[response.status_code] += 1
    case.validate_response(response, checks=CHECKS)
