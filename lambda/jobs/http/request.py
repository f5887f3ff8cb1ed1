"""Normalization of API Gateway's proxy events."""

import base64
import binascii
import re
from typing import Any

_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20\x7f]")


def normalize(event: dict[str, Any]) -> dict[str, Any]:
    """The event in the form that the router expects.

    HEAD becomes GET. Control characters and spaces of the path are percent-encoded, so that they match no id.
    The body becomes text, and its content type JSON, whatever the client sent.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return {
        **event,
        "httpMethod": "GET" if is_head(event) else event["httpMethod"],
        "path": _UNSAFE_IN_PATH.sub(lambda match: f"%{ord(match[0]):02X}", event["path"]),
        "headers": {**headers, "content-type": "application/json"},
        "body": _body(event),
        "isBase64Encoded": False,
    }


def is_head(event: dict[str, Any]) -> bool:
    """Whether the response has no body."""
    return bool(event["httpMethod"] == "HEAD")


def _body(event: dict[str, Any]) -> str | None:
    """The body as text. Bytes that are not UTF-8 become lone surrogates, which `parse_document` refuses."""
    body: str | None = event.get("body")
    if body is None or not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode(errors="surrogateescape")
    except binascii.Error:
        return ""
