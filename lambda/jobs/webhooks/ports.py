"""Interface of the receivers of webhook calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class ForbiddenReceiverError(Exception):
    """The webhook's host has an address that is not on the public internet."""


class UnreachableReceiverError(Exception):
    """The receiver did not respond as it should; the message is the reason, without the URL's path."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """The response of a receiver.

    Attributes:
        status: the HTTP status.
        retry_after: the value of the header Retry-After; None if there is none.
    """

    status: int
    retry_after: str | None = None


class Receivers(Protocol):
    """The receivers of webhook calls."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Posts a JSON document and returns the response. Redirects are not followed.

        Raises:
            ForbiddenReceiverError: the host must not be called.
            UnreachableReceiverError: there is no response.
        """
        ...
