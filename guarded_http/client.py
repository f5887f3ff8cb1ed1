"""A client for HTTPS requests to public addresses, protected against server-side request forgery (SSRF)."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpcore2

from guarded_http.fetch_scope import FetchScope
from guarded_http.ip_addresses import is_public
from guarded_http.network import Deadline, GuardedNetwork, Resolve, resolve

_HTTPS_PORT = 443


class GuardedClient:
    """Connects to public addresses over HTTPS. Proxies, cookies and redirects are not supported."""

    def __init__(
        self,
        *,
        time_limit_s: float,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
        sockets: httpcore2.NetworkBackend | None = None,
        port: int = _HTTPS_PORT,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Creates the client; tests replace its network.

        Args:
            time_limit_s: for all requests of a `connect` block, name resolution included.
            resolve: resolves host names.
            is_allowed: decides whether an address is permitted.
            sockets: connects to numeric addresses; None for the system's sockets.
            port: the only permitted port.
            trust: verifies certificates; None for the system's certificate authorities.
        """
        self.port = port
        self._time_limit_s = time_limit_s
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._sockets = sockets or httpcore2.SyncBackend()
        self._trust = trust or httpcore2.default_ssl_context()

    def permits(self, scheme: str, port: int | None) -> bool:
        """Whether requests to URLs with this scheme and port may be sent; None for a URL without a port."""
        return scheme == "https" and (port or _HTTPS_PORT) == self.port

    @contextmanager
    def connect(self, scope: FetchScope) -> Iterator[httpcore2.ConnectionPool]:
        """Provides the connections for requests to permitted URLs.

        Args:
            scope: closes the connections when it is cancelled.

        Raises:
            UnknownHostError: the host has no address.
            ForbiddenAddressError: the host has an address that is not permitted.
            UntrustedCertificateError: the host's certificate cannot be verified.
            httpcore2.TimeoutException: the time limit was exceeded.
            httpcore2.NetworkError: the host cannot be reached, or closed the connection.
            httpcore2.ProtocolError: the response is not HTTP.
        """
        network = GuardedNetwork(
            deadline=Deadline(self._time_limit_s),
            scope=scope,
            resolve=self._resolve,
            is_allowed=self._is_allowed,
            sockets=self._sockets,
        )
        with httpcore2.ConnectionPool(self._trust, network_backend=network) as pool:
            yield pool


def header(response: httpcore2.Response, name: bytes) -> bytes:
    """The value of a response's header, named in lower case; empty if the header is missing."""
    return next((value for key, value in response.headers if key.lower() == name), b"")
