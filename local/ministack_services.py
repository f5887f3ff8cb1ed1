"""Corrections of MiniStack: API keys, the address of the API, the pace of schedules, CORS of buckets."""

from collections.abc import Mapping
from typing import Any

from contract.api_keys import api_key_of

_BUILD_EVENT = "_build_lambda_event_v1"
_PARSE_RATE = "_parse_rate_seconds"
_OPTIONS = "_handle_options_request"
_DISPATCH = "_dispatch_service_request"
_CORS_PREFIX = "Access-Control-"
_SCHEDULE_SPEED = 12
"""A schedule of one minute runs every five seconds."""


def add_api_keys(api_gateway: dict[str, Any]) -> None:
    """Takes API keys from where the authorizer does, and adds them to `requestContext.identity`.

    MiniStack invokes the authorizer and evaluates its policy, but looks for the key in `x-api-key` only, and
    leaves `apiKey` and `apiKeyId` out of the event.

    Args:
        api_gateway: the namespace of MiniStack's module `apigateway_v1`.
    """
    build, resolve = api_gateway[_BUILD_EVENT], api_gateway["_resolve_api_key"]

    def key_of(headers: Mapping[str, str | list[str]]) -> str | None:
        return api_key_of(
            {name.lower(): value if isinstance(value, str) else value[-1] for name, value in headers.items()}
        )

    def build_with_identity(
        api_id: str,
        stage_name: str,
        stage: Any,
        resource: Mapping[str, Any],
        request_path: str,
        method: str,
        headers: Mapping[str, str],
        *arguments: Any,
        **options: Any,
    ) -> Any:
        event = build(
            api_id, stage_name, stage, resource, request_path, method, headers, *arguments, **options
        )
        methods = resource["resourceMethods"]
        if methods.get(method, methods.get("ANY", {})).get("apiKeyRequired"):
            key = resolve(key_of(headers))
            event["requestContext"]["identity"] |= {"apiKey": key["value"], "apiKeyId": key["id"]}
        return event

    api_gateway["_api_key_from_request"] = key_of
    api_gateway[_BUILD_EVENT] = build_with_identity


def add_address(api_gateway: dict[str, Any]) -> None:
    """Adds the address of the local gateway to `requestContext`, as that of a domain name of the API's own.

    Args:
        api_gateway: the namespace of MiniStack's module `apigateway_v1`.
    """
    build = api_gateway[_BUILD_EVENT]

    def build_with_address(*arguments: Any, **options: Any) -> Any:
        event = build(*arguments, **options)
        domain = event["headers"].get("x-forwarded-host", "")
        event["requestContext"] |= {"domainName": domain, "path": event["path"]}
        return event

    api_gateway[_BUILD_EVENT] = build_with_address


def speed_up_schedules(eventbridge: dict[str, Any]) -> None:
    """Runs EventBridge's rules with a `rate` twelve times as often, so that they act during a short session.

    Args:
        eventbridge: the namespace of MiniStack's module `eventbridge`.
    """
    parse = eventbridge[_PARSE_RATE]

    def parse_faster(expression: str) -> float | None:
        seconds = parse(expression)
        return None if seconds is None else seconds / _SCHEDULE_SPEED

    eventbridge[_PARSE_RATE] = parse_faster
    eventbridge["_SCHEDULER_TICK_INTERVAL"] = 1  # seconds between its checks


def apply_bucket_cors(ministack: dict[str, Any], s3: Mapping[str, Any]) -> None:
    """Answers browsers by the CORS rules of each bucket. Without IAM, MiniStack allows every page everything.

    Args:
        ministack: the namespace of MiniStack's module `app`.
        s3: that of its module `s3`.
    """
    answer_options, dispatch = ministack[_OPTIONS], ministack[_DISPATCH]

    def bucket_and_key(path: str, headers: Mapping[str, str]) -> Any:
        return ministack["_s3_cors_target"](headers.get("host", ""), path)

    def answer(method: str, path: str, headers: Mapping[str, str], *arguments: Any) -> Any:
        target = bucket_and_key(path, headers) if method == "OPTIONS" else None
        if target is None:
            return answer_options(method, path, headers, *arguments)
        return s3["cors_preflight"](*target, headers)

    async def dispatch_with_rules(method: str, path: str, headers: Mapping[str, str], *arguments: Any) -> Any:
        status, returned, body = await dispatch(method, path, headers, *arguments)
        if target := bucket_and_key(path, headers):
            others = {name: value for name, value in returned.items() if not name.startswith(_CORS_PREFIX)}
            returned = others | s3["cors_response_headers"](target[0], method, headers)
        return status, returned, body

    ministack[_OPTIONS] = answer
    ministack[_DISPATCH] = dispatch_with_rules
