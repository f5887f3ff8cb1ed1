"""Fetching of images from the public web."""

from typing import BinaryIO

import httpcore2
import httpx2

from contract.problem import ErrorCode
from guarded_http.client import GuardedClient, header
from guarded_http.fetch_scope import FetchCancelledError, FetchScope
from guarded_http.network import ForbiddenAddressError, UnknownHostError, UntrustedCertificateError
from inference.engine.errors import InputError

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

    Content encodings are not supported; redirects are followed within the same origin. Error messages contain
    the host only, since paths and queries may contain signatures.
    """

    def __init__(self, client: GuardedClient | None = None) -> None:
        """Creates the fetcher.

        Args:
            client: sends the requests for one file within its time limit; None for 30 s from the first
                connection to the last byte.
        """
        self._client = client or GuardedClient(time_limit_s=_TIME_LIMIT_S)

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
        try:
            url = self._check(httpx2.URL(uri))
        except httpx2.InvalidURL as error:
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, "is not a valid URL") from error
        except _RefusedError as error:
            raise InputError(error.code, pointer, error.detail) from error
        try:
            with self._client.connect(scope) as pool:
                self._follow(pool, url, target, max_bytes)
        except _RefusedError as error:
            raise InputError(error.code, pointer, f"{url.host} {error.detail}") from error
        except tuple(_ERRORS) as error:
            if scope.cancelled:
                raise FetchCancelledError from error
            reason = next(text for kind, text in _ERRORS.items() if isinstance(error, kind))
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, f"{url.host} {reason}") from error

    def _check(self, url: httpx2.URL) -> httpx2.URL:
        if not self._client.permits(url.scheme, url.port):
            raise _RefusedError(f"must be an https:// address with port {self._client.port}")
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
                url = _redirect_target(url, header(response, b"location"))
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
    if header(response, b"content-encoding").lower() not in (b"", b"identity"):
        raise _RefusedError(
            "sent a compressed response, which is not supported; upload the image to the data bucket"
        )
    received = 0
    length = int(header(response, b"content-length") or 0)
    for chunk in response.iter_stream():
        received += len(chunk)
        if max(received, length) > max_bytes:
            raise _RefusedError(
                f"sent more than the limit of {max_bytes:,} bytes; use a smaller file",
                ErrorCode.INPUT_IMAGE_TOO_LARGE,
            )
        target.write(chunk)
