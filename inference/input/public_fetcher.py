"""Fetching of images from the public web, protected against server-side request forgery (SSRF)."""

import ssl
from collections.abc import Callable
from typing import BinaryIO

import httpcore2
import httpx2

from contract.problem import ErrorCode
from inference.engine.errors import InputError
from inference.input.fetch_scope import FetchCancelledError, FetchScope
from inference.input.guarded_network import (
    Deadline,
    ForbiddenAddressError,
    GuardedNetwork,
    Resolve,
    UnknownHostError,
    UntrustedCertificateError,
    resolve,
)
from inference.input.ip_addresses import is_public

_PORT = 443
_TIME_LIMIT_S = 30.0
_MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = [
    ("Accept", "image/*"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "stable-diffusion-quick-kit"),
]
_ERRORS: dict[type[Exception], str] = {
    UnknownHostError: "cannot be resolved; check the host name",
    ForbiddenAddressError: "is not on the public internet; upload the image to the data bucket",
    UntrustedCertificateError: "has a TLS certificate that cannot be verified",
    httpcore2.TimeoutException: "exceeded the time limit; upload the image to the data bucket",
    httpcore2.NetworkError: "cannot be reached, or closed the connection",
    httpcore2.ProtocolError: "sent an invalid HTTP response",
}


class _RefusedError(Exception):
    """The image is not fetched."""

    def __init__(self, detail: str, code: ErrorCode = ErrorCode.INPUT_FETCH_FAILED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class PublicFetcher:
    """Fetches files over HTTPS from public addresses.

    Proxies, cookies, authentication and content encodings are not supported; redirects are followed within
    the same origin. Error messages contain the host only, since paths and queries may contain signatures.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
        sockets: httpcore2.NetworkBackend | None = None,
        port: int = _PORT,
        trust: ssl.SSLContext | None = None,
        time_limit_s: float = _TIME_LIMIT_S,
    ) -> None:
        """Creates the fetcher; tests replace its network.

        Args:
            resolve: resolves host names.
            is_allowed: decides whether an address is permitted.
            sockets: connects to numeric addresses; None for the system's sockets.
            port: the only permitted port.
            trust: verifies certificates; None for the system's certificate authorities.
            time_limit_s: for one file, from the first connection to the last byte.
        """
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._sockets = sockets or httpcore2.SyncBackend()
        self._port = port
        self._trust = trust or httpcore2.default_ssl_context()
        self._time_limit_s = time_limit_s

    def fetch(self, uri: str, target: BinaryIO, scope: FetchScope, *, pointer: str, max_bytes: int) -> None:
        """Fetches the file at an `https://` address.

        Args:
            uri: the address.
            target: the file to write to.
            scope: closes the connection when it is cancelled.
            pointer: the field of the request, for errors.
            max_bytes: reading stops, and fails, once a file exceeds this.

        Raises:
            InputError: the file cannot be fetched, or is too large.
            FetchCancelledError: the scope was cancelled.
        """
        network = GuardedNetwork(
            deadline=Deadline(self._time_limit_s),
            scope=scope,
            resolve=self._resolve,
            is_allowed=self._is_allowed,
            sockets=self._sockets,
        )
        try:
            url = self._check(httpx2.URL(uri))
        except httpx2.InvalidURL as error:
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, "is not a valid URL") from error
        except _RefusedError as error:
            raise InputError(error.code, pointer, error.detail) from error
        try:
            with httpcore2.ConnectionPool(self._trust, network_backend=network) as pool:
                self._follow(pool, url, target, max_bytes)
        except _RefusedError as error:
            raise InputError(error.code, pointer, f"{url.host} {error.detail}") from error
        except tuple(_ERRORS) as error:
            if scope.cancelled:
                raise FetchCancelledError from error
            reason = next(text for kind, text in _ERRORS.items() if isinstance(error, kind))
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{url.host} {reason}") from error

    def _check(self, url: httpx2.URL) -> httpx2.URL:
        if url.scheme != "https" or (url.port or _PORT) != self._port:
            raise _RefusedError(f"must be an https:// address with port {self._port}")
        return url

    def _follow(
        self, pool: httpcore2.ConnectionPool, url: httpx2.URL, target: BinaryIO, max_bytes: int
    ) -> None:
        for _ in range(_MAX_REDIRECTS + 1):
            address = httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            )
            with pool.stream("GET", address, headers=_HEADERS) as response:
                if response.status not in _REDIRECTS:
                    _write_body(response, target, max_bytes)
                    return
                url = _redirect_target(url, _header(response, b"location"))
        raise _RefusedError(f"redirected more than {_MAX_REDIRECTS} times; pass the final address")


def _redirect_target(url: httpx2.URL, location: bytes) -> httpx2.URL:
    try:
        target = url.join(location.decode("ascii"))
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise _RefusedError("redirected to an invalid address") from error
    if (target.scheme, target.raw_host, target.port) != (url.scheme, url.raw_host, url.port):
        raise _RefusedError("redirected to another origin; pass the final address")
    return target


def _write_body(response: httpcore2.Response, target: BinaryIO, max_bytes: int) -> None:
    if response.status != 200:
        raise _RefusedError(f"responded with status {response.status}")
    if _header(response, b"content-encoding").lower() not in (b"", b"identity"):
        raise _RefusedError(
            "sent a compressed response, which is not supported; upload the image to the data bucket"
        )
    received = 0
    length = int(_header(response, b"content-length") or 0)
    for chunk in response.iter_stream():
        received += len(chunk)
        if max(received, length) > max_bytes:
            raise _RefusedError(
                f"sent more than the limit of {max_bytes:,} bytes; use a smaller file",
                ErrorCode.INPUT_IMAGE_TOO_LARGE,
            )
        target.write(chunk)


def _header(response: httpcore2.Response, name: bytes) -> bytes:
    """The header's value; empty if the header is missing."""
    return next((value for key, value in response.headers if key.lower() == name), b"")
