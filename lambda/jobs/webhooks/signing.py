"""Signatures of webhook calls, as https://www.standardwebhooks.com specifies them."""

from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook


def signed_headers(message_id: str, timestamp: datetime, body: str, keys: Iterable[bytes]) -> dict[str, str]:
    """The headers of a call.

    Args:
        message_id: the same for every call of an event.
        timestamp: of this call, in UTC; receivers refuse old ones.
        body: the call's body.
        keys: the keys that sign the call; a receiver needs one of them.
    """
    signatures = (Webhook(key).sign(msg_id=message_id, timestamp=timestamp, data=body) for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(timestamp.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
