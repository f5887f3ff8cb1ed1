"""Webhook calls over HTTPS, to public addresses only."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpcore2

from contract.webhooks import CALL_LIMIT_S
from guarded_http.client import GuardedClient, header
from guarded_http.fetch_scope import FetchScope
from guarded_http.network import ForbiddenAddressError, UnknownHostError, UntrustedCertificateError
from jobs.webhooks.ports import ForbiddenReceiverError, Response, UnreachableReceiverError

_REASONS: dict[type[Exception], str] = {
    UnknownHostError: "the host cannot be resolved",
    UntrustedCertificateError: "the TLS certificate cannot be verified",
    httpcore2.TimeoutException: f"the call took more than {CALL_LIMIT_S} s",
    httpcore2.NetworkError: "the host cannot be reached, or closed the connection",
    httpcore2.ProtocolError: "there was no valid HTTP response",
}


class HttpsReceivers:
    """Receivers on the public internet. Bodies of responses are not read."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """See `Receivers`."""
        parts = urlsplit(url)
        if not self._client.permits(parts.scheme, parts.port):
            raise ForbiddenReceiverError
        address = httpcore2.URL(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port,
            target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        )
        try:
            with (
                self._client.connect(FetchScope()) as connections,
                connections.stream(
                    "POST", address, headers=[("Host", parts.netloc), *headers.items()], content=body
                ) as response,
            ):
                retry_after = header(response, b"retry-after").decode("latin-1")
                return Response(status=response.status, retry_after=retry_after or None)
        except ForbiddenAddressError as error:
            raise ForbiddenReceiverError from error
        except tuple(_REASONS) as error:
            reason = next(text for kind, text in _REASONS.items() if isinstance(error, kind))
            raise UnreachableReceiverError(reason) from error
