"""Connections that reach the public internet only, and end in time."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host; raises OSError or UnicodeError where there are none."""


class UnknownHostError(Exception):
    """The host has no address."""


class ForbiddenAddressError(Exception):
    """The host has an address that must not be reached from here."""


class UntrustedCertificateError(Exception):
    """Nobody who is trusted says that the host is the host."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """See `Resolve`; asks the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class Deadline:
    """When everything must be over."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, at_most: float | None = None) -> float:
        """The seconds until then, or fewer.

        Raises:
            httpcore2.ReadTimeout: there are none.
        """
        seconds = self._at - time.monotonic()
        if seconds <= 0:
            raise httpcore2.ReadTimeout
        return seconds if at_most is None else min(seconds, at_most)


class GuardedNetwork(httpcore2.NetworkBackend):
    """Resolves a host once, judges every address it has, and connects to one of these very addresses."""

    def __init__(
        self,
        *,
        deadline: Deadline,
        resolve: Resolve,
        is_allowed: Callable[[str], bool],
        sockets: httpcore2.NetworkBackend,
    ) -> None:
        """Takes what it works with.

        Args:
            deadline: ends every connection; the system's resolver has limits of its own.
            resolve: finds the addresses.
            is_allowed: judges one.
            sockets: connects to a numeric address.
        """
        self._deadline = deadline
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._sockets = sockets

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """See httpcore2.

        Raises:
            UnknownHostError: there is no such host.
            ForbiddenAddressError: one of its addresses is not allowed.
            httpcore2.ConnectError: none of them answers.
        """
        failure = httpcore2.ConnectError()
        for address in self._addresses(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UnknownHostError(host) from error
        if not all(self._is_allowed(address) for address in addresses):
            raise ForbiddenAddressError(host)
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """Gives no operation more than what is left of the time."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise UntrustedCertificateError(server_hostname) from error
            raise
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
