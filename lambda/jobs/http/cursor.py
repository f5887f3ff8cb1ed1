"""Cursors of lists: the last entry that a caller has seen, signed."""

import base64
import hmac
import json
from collections.abc import Sequence

from contract.generation import InvalidRequestError
from contract.problem import FieldError

_MAC_BYTES = 16


class InvalidCursorError(InvalidRequestError):
    """A cursor is damaged, or belongs to another caller or to a list with other filters."""

    def __init__(self) -> None:
        super().__init__(
            (
                FieldError(
                    pointer="#/cursor",
                    detail=(
                        "is not a next_cursor of this list: send it unchanged and with the same filters, or "
                        "leave it out to begin again"
                    ),
                ),
            )
        )


def encode_cursor(last: str, *, secrets: Sequence[bytes], scope: Sequence[str | None]) -> str:
    """The cursor after an entry.

    Args:
        last: identifies the last entry that the caller has seen.
        secrets: the signing secrets; the first one signs.
        scope: the caller and the filters that the cursor is valid for.
    """
    return _sign(last, secrets[0], scope)


def decode_cursor(cursor: str, *, secrets: Sequence[bytes], scope: Sequence[str | None]) -> str:
    """The entry in a cursor.

    Raises:
        InvalidCursorError: none of the secrets has signed this cursor for the scope.
    """
    try:
        last = base64.b64decode(cursor, altchars=b"-_", validate=True)[:-_MAC_BYTES].decode()
    except ValueError:
        raise InvalidCursorError from None
    expected = (_sign(last, secret, scope) for secret in secrets)
    if not any(hmac.compare_digest(cursor, each) for each in expected):
        raise InvalidCursorError
    return last


def _sign(last: str, secret: bytes, scope: Sequence[str | None]) -> str:
    """The entry and a truncated HMAC-SHA256, whose key is derived from the secret, in base64."""
    key = hmac.digest(secret, b"cursor", "sha256")
    mac = hmac.digest(key, json.dumps([last, *scope]).encode(), "sha256")
    return base64.urlsafe_b64encode(last.encode() + mac[:_MAC_BYTES]).decode()
