import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2
import pytest

from guarded_http.fetch_scope import FetchScope
from guarded_http.network import (
    Deadline,
    ForbiddenAddressError,
    GuardedNetwork,
    UnknownHostError,
    resolve,
)

ADDRESS = "93.184.215.14"


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeStream(httpcore2.NetworkStream):
    """Records the timeout of each operation."""

    def __init__(self, timeouts: list[tuple[str, float | None]]) -> None:
        self._timeouts = timeouts

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._timeouts.append(("read", timeout))
        return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._timeouts.append(("write", timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        self._timeouts.append(("start_tls", timeout))
        return self


class FakeSockets(httpcore2.NetworkBackend):
    """Records the timeout of each connection; connecting to some addresses fails."""

    def __init__(self, *, failing: Iterable[str] = ()) -> None:
        self.connected: list[str] = []
        self.timeouts: list[tuple[str, float | None]] = []
        self._failing = set(failing)

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *rest: Any) -> FakeStream:
        self.connected.append(host)
        self.timeouts.append(("connect", timeout))
        if host in self._failing:
            raise httpcore2.ConnectError
        return FakeStream(self.timeouts)


def network(sockets: FakeSockets, deadline: Deadline, *addresses: str) -> GuardedNetwork:
    return GuardedNetwork(
        deadline=deadline,
        scope=FetchScope(),
        resolve=lambda _host, _port: addresses or [ADDRESS],
        is_allowed=lambda address: not address.startswith("127."),
        sockets=sockets,
    )


def test_a_deadline_returns_the_remaining_seconds_until_none_remain() -> None:
    clock = FakeClock()
    deadline = Deadline(10, clock=clock)
    assert (deadline.remaining(), deadline.remaining(3), deadline.remaining(30)) == (10, 3, 10)
    clock.now = 1009.75
    assert (deadline.remaining(), deadline.remaining(3), deadline.remaining(0.125)) == (0.25, 0.25, 0.125)
    for clock.now in (1010.0, 1010.25, 5000.0):
        with pytest.raises(httpcore2.ReadTimeout):
            deadline.remaining()
        with pytest.raises(httpcore2.ReadTimeout):
            deadline.remaining(3)


def test_every_operation_has_the_remaining_seconds_as_its_timeout() -> None:
    clock, sockets = FakeClock(), FakeSockets()
    stream = network(sockets, Deadline(10, clock=clock)).connect_tcp("a.example", 443)
    clock.now += 1
    stream = stream.start_tls(ssl.create_default_context())
    clock.now += 1
    stream.write(b"request")
    clock.now += 1
    stream.read(10)
    stream.read(10, timeout=2)
    clock.now += 6.5
    stream.read(10, timeout=2)
    assert sockets.timeouts == [
        ("connect", 10),
        ("start_tls", 9),
        ("write", 8),
        ("read", 7),
        ("read", 2),
        ("read", 0.5),
    ]


def test_no_operation_starts_after_the_deadline() -> None:
    clock, sockets = FakeClock(), FakeSockets()
    guarded = network(sockets, Deadline(10, clock=clock))
    stream = guarded.connect_tcp("a.example", 443)
    clock.now += 10
    for operation in (
        lambda: guarded.connect_tcp("a.example", 443),
        lambda: stream.start_tls(ssl.create_default_context()),
        lambda: stream.write(b"request"),
        lambda: stream.read(10),
    ):
        with pytest.raises(httpcore2.ReadTimeout):
            operation()
    assert sockets.timeouts == [("connect", 10)]


def test_the_next_address_is_tried_after_a_failed_connection() -> None:
    sockets = FakeSockets(failing=["1.1.1.1"])
    network(sockets, Deadline(10), "1.1.1.1", "8.8.8.8", "9.9.9.9").connect_tcp("a.example", 443)
    assert sockets.connected == ["1.1.1.1", "8.8.8.8"]


def test_a_host_with_a_forbidden_address_is_refused_without_connecting() -> None:
    sockets = FakeSockets()
    with pytest.raises(ForbiddenAddressError):
        network(sockets, Deadline(10), ADDRESS, "127.0.0.1").connect_tcp("a.example", 443)
    assert sockets.connected == []


@pytest.mark.parametrize("error", [OSError(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_host_that_cannot_be_resolved_is_unknown(error: Exception) -> None:
    def fail(_host: str, _port: int) -> list[str]:
        raise error

    guarded = GuardedNetwork(
        deadline=Deadline(10),
        scope=FetchScope(),
        resolve=fail,
        is_allowed=lambda _: True,
        sockets=FakeSockets(),
    )
    with pytest.raises(UnknownHostError):
        guarded.connect_tcp("a.example", 443)


def test_the_systems_resolver_returns_each_numeric_address_once() -> None:
    assert resolve("127.0.0.1", 443) == ("127.0.0.1",)
    assert resolve("::1", 443) == ("::1",)
