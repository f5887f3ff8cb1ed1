"""A network backend for httpcore that connects to permitted addresses only and keeps a deadline."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpcore2

from guarded_http.fetch_scope import FetchScope

Resolve = Callable[[str, int], Sequence[str]]
"""Resolves a host and port to numeric addresses; raises OSError or UnicodeError if there are none."""


_RESOLVERS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolver")
"""The system's resolver cannot be interrupted: past its deadline, its thread goes on until it returns."""


class UnknownHostError(Exception):
    """The host has no address."""


class ForbiddenAddressError(Exception):
    """The host has an address that is not permitted."""


class UntrustedCertificateError(Exception):
    """The host's TLS certificate cannot be verified."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The system's resolver; see `Resolve`."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in results))


class Deadline:
    """A time limit for a whole request."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def remaining(self, at_most: float | None = None) -> float:
        """The seconds that remain, or `at_most` if that is less.

        Raises:
            httpcore2.ReadTimeout: none remain.
        """
        seconds = self._at - self._clock()
        if seconds <= 0:
            raise httpcore2.ReadTimeout
        return seconds if at_most is None else min(seconds, at_most)


class GuardedNetwork(httpcore2.NetworkBackend):
    """Resolves a host once, checks every address, and connects to one of the checked addresses."""

    def __init__(
        self,
        *,
        deadline: Deadline,
        scope: FetchScope,
        resolve: Resolve,
        is_allowed: Callable[[str], bool],
        sockets: httpcore2.NetworkBackend,
    ) -> None:
        """Creates the backend.

        Args:
            deadline: applies to all operations, name resolution included.
            scope: closes the connection when it is cancelled.
            resolve: resolves host names.
            is_allowed: decides whether an address is permitted.
            sockets: connects to numeric addresses.
        """
        self._deadline = deadline
        self._scope = scope
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
            UnknownHostError: the host cannot be resolved.
            ForbiddenAddressError: one of its addresses is not permitted.
            httpcore2.ConnectError: no address accepts the connection.
        """
        last_error = httpcore2.ConnectError()
        for address in self._addresses(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.remaining(timeout), local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                last_error = error
            else:
                return _TimedStream(stream, self._deadline, self._scope)
        raise last_error

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        resolving = _RESOLVERS.submit(self._resolve, host, port)
        try:
            addresses = resolving.result(self._deadline.remaining())
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error
        except (OSError, UnicodeError) as error:
            raise UnknownHostError(host) from error
        if not all(self._is_allowed(address) for address in addresses):
            raise ForbiddenAddressError(host)
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """Limits the timeout of every operation to the time that remains; a cancelled scope interrupts it."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline, scope: FetchScope) -> None:
        self._stream = stream
        self._deadline = deadline
        self._scope = scope

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._scope.interruptible(self._shut_down):
            return self._stream.read(max_bytes, self._deadline.remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with self._scope.interruptible(self._shut_down):
            self._stream.write(buffer, self._deadline.remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            with self._scope.interruptible(self._shut_down):
                remaining = self._deadline.remaining(timeout)
                secured = self._stream.start_tls(ssl_context, server_hostname, remaining)
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise UntrustedCertificateError(server_hostname) from error
            raise
        return _TimedStream(secured, self._deadline, self._scope)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _shut_down(self) -> None:
        """Makes a blocking operation of another thread fail."""
        connection = self._stream.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # for TLS too, without its handshake
