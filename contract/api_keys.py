"""API keys in the headers of requests: the forms in which clients send them."""

import base64
import binascii
import re
from collections.abc import Mapping

_KEY = re.compile(r"[\x21-\x7e]{1,128}")
"""API Gateway's own keys have 40 letters and digits."""

_MAX_HEADER_CHARACTERS = 1024
_EXAMPLES = "x-api-key: KEY, Authorization: Bearer KEY, or Authorization: Basic with KEY as the password"
HOW_TO_SEND = f"Send a valid API key, in one of these headers: {_EXAMPLES}."


def api_key_of(headers: Mapping[str, str]) -> str | None:
    """The key that a request carries; None if it carries none. Whether the key is valid is not known here.

    The key is the header `x-api-key`; else that of `Authorization: Bearer`; else the password of
    `Authorization: Basic`, or the user's name if the password is empty.

    Args:
        headers: by names in lower case.
    """
    key = headers.get("x-api-key") or _authorization(headers.get("authorization", ""))
    return key if key is not None and _KEY.fullmatch(key) else None


def _authorization(header: str) -> str | None:
    if len(header) > _MAX_HEADER_CHARACTERS:
        return None
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _basic(value.strip())
        case _:
            return None


def _basic(value: str) -> str | None:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password or user
