"""The list of adapters, with in-memory ports."""

from typing import Any

import pytest

from tests.jobs.fakes import InMemoryBackend
from tests.jobs.http_calls import call

LONGEST = "\N{GRINNING FACE}" * 100


def listed(**query: str) -> tuple[list[str], str | None]:
    """The names in a response, and its cursor."""
    status, headers, document = call("GET", "/v1/adapters", query=query)
    assert (status, headers["content-type"]) == (200, "application/json")
    return [each["name"] for each in document["data"]], document["next_cursor"]


def refused(key: str = "default", **query: str) -> list[str]:
    """The pointers of the errors of a request."""
    status, _, problem = call("GET", "/v1/adapters", key=key, query=query)
    assert (status, problem["code"]) == (422, "validation_failed")
    return [error["pointer"] for error in problem["errors"]]


def test_an_adapter_is_listed_with_its_kind_name_size_and_time(deployed: InMemoryBackend) -> None:
    deployed.adapters.put("adapters/loras/moon.safetensors", 5)
    expected: dict[str, Any] = {
        "kind": "lora",
        "name": "moon",
        "size": 5,
        "modified_at": "2026-03-01T12:30:15.250000Z",
    }
    assert call("GET", "/v1/adapters")[2] == {"data": [expected], "next_cursor": None}


def test_the_list_continues_with_a_cursor_whatever_the_names_are(deployed: InMemoryBackend) -> None:
    for name in ("a", "b", LONGEST):
        deployed.adapters.put(f"adapters/loras/{name}.safetensors")
    deployed.adapters.put("adapters/upscalers/c.pth")
    found, cursor = listed(limit="3")
    assert (found, cursor is None) == (["a", "b", LONGEST], False)
    assert listed(limit="3", cursor=str(cursor)) == (["c"], None)
    assert listed(kind="upscaler") == (["c"], None)


def test_a_cursor_belongs_to_its_caller_and_its_kind(deployed: InMemoryBackend) -> None:
    for name in "ab":
        deployed.adapters.put(f"adapters/loras/{name}.safetensors")
    cursor = str(listed(limit="1", kind="lora")[1])
    assert listed(cursor=cursor, kind="lora") == (["b"], None)
    assert refused(cursor=cursor) == ["#/cursor"]
    assert refused(cursor=cursor, kind="vae") == ["#/cursor"]
    assert refused(cursor=cursor, kind="lora", key="other") == ["#/cursor"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"kind": "LoRA"}, "#/kind"),
        ({"kind": "safety_checker"}, "#/kind"),
        ({"limit": "0"}, "#/limit"),
        ({"limit": "1001"}, "#/limit"),
        ({"cursor": ""}, "#/cursor"),
        ({"cursor": "x" * 601}, "#/cursor"),
        ({"name": "moon"}, "#/name"),
    ],
)
def test_an_invalid_parameter_is_named(
    deployed: InMemoryBackend, query: dict[str, str], pointer: str
) -> None:
    assert refused(**query) == [pointer]


def test_a_bucket_that_cannot_be_listed_is_a_retryable_503(deployed: InMemoryBackend) -> None:
    deployed.adapters.unavailable = True
    status, headers, problem = call("GET", "/v1/adapters")
    assert (status, problem["code"], problem["retryable"]) == (503, "adapters_unavailable", True)
    assert headers["retry-after"] == "5"
