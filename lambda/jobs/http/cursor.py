"""Cursors of lists: the last id that a caller has seen, signed."""

import base64
import hmac
import json
import re
from collections.abc import Sequence

from contract.generation import InvalidRequestError
from contract.problem import FieldError

_MAC_BYTES = 16
_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


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


def encode_cursor(last_id: str, *, secrets: Sequence[bytes], scope: Sequence[str | None]) -> str:
    """The cursor after a job.

    Args:
        last_id: the id of the last job that the caller has seen.
        secrets: the signing secrets; the first one signs.
        scope: the caller and the filters that the cursor is valid for.
    """
    signed = last_id.encode() + _mac(secrets[0], last_id, scope)
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def decode_cursor(cursor: str, *, secrets: Sequence[bytes], scope: Sequence[str | None]) -> str:
    """The id in a cursor.

    Raises:
        InvalidCursorError: none of the secrets has signed this cursor for the scope.
    """
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last_id = signed[:-_MAC_BYTES].decode("ascii")
    except ValueError:
        raise InvalidCursorError from None
    is_signed = any(
        hmac.compare_digest(signed[-_MAC_BYTES:], _mac(secret, last_id, scope)) for secret in secrets
    )
    if not is_signed or _ID.fullmatch(last_id) is None:
        raise InvalidCursorError
    return last_id


def _mac(secret: bytes, last_id: str, scope: Sequence[str | None]) -> bytes:
    """The truncated HMAC-SHA256, with a key of its own that is derived from the secret."""
    key = hmac.digest(secret, b"cursor", "sha256")
    return hmac.digest(key, json.dumps([last_id, *scope]).encode(), "sha256")[:_MAC_BYTES]
