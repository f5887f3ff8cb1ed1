"""The corrections of MiniStack's services, on namespaces in place of its modules."""

from typing import Any

import pytest

from local.ministack_services import add_address, add_api_keys, speed_up_schedules

KEYS = {"secret": {"id": "k1", "value": "secret"}}


def identity(methods: dict[str, Any]) -> Any:
    """The identity of a POST with an API key to a resource with these methods."""
    gateway: dict[str, Any] = {
        "_build_lambda_event_v1": lambda *_, **__: {"requestContext": {"identity": {"sourceIp": "::1"}}},
        "_api_key_from_request": lambda headers: None,
        "_resolve_api_key": KEYS.get,
    }
    add_api_keys(gateway)
    arguments = ("api", "dev", {}, {"resourceMethods": methods}, "/v1/jobs", "POST", {"x-api-key": "secret"})
    event = gateway["_build_lambda_event_v1"](*arguments, b"", {}, {}, binary_media_types=None)
    return event["requestContext"]["identity"]


@pytest.mark.parametrize("method", ["POST", "ANY"])
def test_the_key_is_in_the_identity_if_the_method_requires_one(method: str) -> None:
    expected = {"sourceIp": "::1", "apiKey": "secret", "apiKeyId": "k1"}
    assert identity({method: {"apiKeyRequired": True}}) == expected


def test_the_key_is_taken_from_the_headers_that_the_authorizer_reads() -> None:
    gateway: dict[str, Any] = {"_build_lambda_event_v1": None, "_resolve_api_key": None}
    add_api_keys(gateway)
    assert gateway["_api_key_from_request"]({"Authorization": "Bearer secret"}) == "secret"


def test_the_key_is_not_in_the_identity_if_the_method_requires_none() -> None:
    assert identity({"POST": {"apiKeyRequired": False}, "ANY": {"apiKeyRequired": True}}) == {
        "sourceIp": "::1"
    }


def test_the_address_is_the_one_that_the_client_has_called() -> None:
    event = {"headers": {"x-forwarded-host": "127.0.0.1:8080"}, "path": "/v1", "requestContext": {"id": "1"}}
    gateway: dict[str, Any] = {"_build_lambda_event_v1": lambda: event}
    add_address(gateway)
    built = gateway["_build_lambda_event_v1"]()
    assert built["requestContext"] == {"id": "1", "domainName": "127.0.0.1:8080", "path": "/v1"}


def test_a_schedule_of_one_minute_runs_every_five_seconds() -> None:
    eventbridge: dict[str, Any] = {"_parse_rate_seconds": {"rate(1 minute)": 60}.get}
    speed_up_schedules(eventbridge)
    parse = eventbridge["_parse_rate_seconds"]
    assert (parse("rate(1 minute)"), parse("cron(0 0 * * ? *)")) == (5, None)
    assert eventbridge["_SCHEDULER_TICK_INTERVAL"] < 5
