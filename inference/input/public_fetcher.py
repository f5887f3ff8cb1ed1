"""Pictures from the public web, fetched so that a request reaches nothing else."""

import ssl
from collections.abc import Callable

import httpcore2
import httpx2

from contract.problem import ErrorCode
from inference.engine.errors import InputError
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
_FAILURES: dict[type[Exception], str] = {
    UnknownHostError: "has no address; check its name",
    ForbiddenAddressError: "is not on the public internet; put the picture into the data bucket",
    UntrustedCertificateError: "has a certificate that cannot be verified",
    httpcore2.TimeoutException: "took too long; put the picture into the data bucket",
    httpcore2.NetworkError: "cannot be reached, or broke off",
    httpcore2.ProtocolError: "does not answer in valid HTTP",
}


class _RefusedError(Exception):
    """The picture cannot be had."""

    def __init__(self, detail: str, code: ErrorCode = ErrorCode.INPUT_FETCH_FAILED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class PublicFetcher:
    """Fetches over HTTPS from public addresses.

    It knows no proxies, cookies, authentication or encodings, and follows redirects within one origin only.
    What it says of an address is the host: paths and queries may hold signatures.
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
        """Takes what makes the web public.

        Args:
            resolve: finds the addresses of a host.
            is_allowed: judges one.
            sockets: connects to one; None takes the system's.
            port: the only one there is.
            trust: verifies certificates; None trusts whom the system trusts.
            time_limit_s: for one picture, from the first connection to the last byte.
        """
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._sockets = sockets or httpcore2.SyncBackend()
        self._port = port
        self._trust = trust or httpcore2.default_ssl_context()
        self._time_limit_s = time_limit_s

    def fetch(self, uri: str, *, pointer: str, max_bytes: int) -> bytes:
        """What is at an `https://` address.

        Args:
            uri: where it is.
            pointer: the request's field that named it, for the error.
            max_bytes: of a larger picture, no more is read.

        Raises:
            InputError: it cannot be had, or is too large.
        """
        network = GuardedNetwork(
            deadline=Deadline(self._time_limit_s),
            resolve=self._resolve,
            is_allowed=self._is_allowed,
            sockets=self._sockets,
        )
        try:
            url = self._checked(httpx2.URL(uri))
        except httpx2.InvalidURL as error:
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, "is no valid address") from error
        except _RefusedError as error:
            raise InputError(error.code, pointer, error.detail) from error
        try:
            with httpcore2.ConnectionPool(self._trust, network_backend=network) as pool:
                return self._follow(pool, url, max_bytes)
        except _RefusedError as error:
            raise InputError(error.code, pointer, f"{url.host} {error.detail}") from error
        except tuple(_FAILURES) as error:
            reason = next(words for kind, words in _FAILURES.items() if isinstance(error, kind))
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{url.host} {reason}") from error

    def _checked(self, url: httpx2.URL) -> httpx2.URL:
        if url.scheme != "https" or (url.port or _PORT) != self._port:
            raise _RefusedError(f"must be an https address at port {self._port}")
        return url

    def _follow(self, pool: httpcore2.ConnectionPool, url: httpx2.URL, max_bytes: int) -> bytes:
        for _ in range(_MAX_REDIRECTS + 1):
            target = httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            )
            with pool.stream("GET", target, headers=_HEADERS) as response:
                if response.status not in _REDIRECTS:
                    return _body(response, max_bytes)
                url = _redirection(url, _header(response, b"location"))
        raise _RefusedError("redirects again and again; give the final address")


def _redirection(url: httpx2.URL, location: bytes) -> httpx2.URL:
    try:
        target = url.join(location.decode("ascii"))
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise _RefusedError("redirects to no valid address") from error
    if (target.scheme, target.raw_host, target.port) != (url.scheme, url.raw_host, url.port):
        raise _RefusedError("redirects to elsewhere; give the final address")
    return target


def _body(response: httpcore2.Response, max_bytes: int) -> bytes:
    if response.status != 200:
        raise _RefusedError(f"answers with status {response.status}")
    if _header(response, b"content-encoding").lower() not in (b"", b"identity"):
        raise _RefusedError("compresses what it sends; pictures are fetched as they are")
    body = bytearray()
    length = int(_header(response, b"content-length") or 0)
    for chunk in response.iter_stream():
        body += chunk
        if max(len(body), length) > max_bytes:
            raise _RefusedError(
                f"sends more than the {max_bytes:,} bytes that are accepted",
                ErrorCode.INPUT_IMAGE_TOO_LARGE,
            )
    return bytes(body)


def _header(response: httpcore2.Response, name: bytes) -> bytes:
    """The header's value; nothing where there is none."""
    return next((value for key, value in response.headers if key.lower() == name), b"")
