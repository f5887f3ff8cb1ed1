"""A scripted TLS server on the loopback interface."""

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

HOST = "images.example"
HOLD = None
"""A piece of a script: sends nothing and keeps the connection open until the server is stopped."""

_HOLD_LIMIT_S = 60

Script = Mapping[str, Iterable[bytes | None]]
"""The pieces that are sent for each path; an endless iterator is sent until the client disconnects."""


def certificate(directory: Path, host: str = HOST) -> Path:
    """A file with a private key and a self-signed certificate for the host."""
    file = directory / f"{host}.pem"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file)
    subject = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    subprocess.run(["openssl", "req", "-x509", *key, *subject, "-out", file], check=True, capture_output=True)  # noqa: S607
    return file


class TlsServer:
    """Serves one request for each connection."""

    def __init__(self, certificate: Path, script: Script, *, handshake: bool = True) -> None:
        """Starts the server; without `handshake`, it accepts connections and sends nothing."""
        self.requests: list[bytes] = []
        self._script = script
        self._handshake = handshake
        self._stopping = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if not self._handshake:
                self._stopping.wait(_HOLD_LIMIT_S)
                return
            with self._context.wrap_socket(connection, server_side=True) as tls:
                self._respond(tls)

    def _respond(self, tls: ssl.SSLSocket) -> None:
        request = b""
        while not _is_complete(request):
            received = tls.recv(4096)
            if not received:
                return
            request += received
        self.requests.append(request)
        path = request.split(b" ")[1].decode().partition("?")[0]
        for piece in self._script[path]:
            if piece is HOLD:
                self._stopping.wait(_HOLD_LIMIT_S)
            else:
                tls.sendall(piece)


def _is_complete(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: (\d+)", head, re.MULTILINE)
    return bool(separator) and len(body) >= (int(length[1]) if length else 0)


def response(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> list[bytes]:
    """An HTTP response that ends with the connection; `length` is its Content-Length, true or not."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ["\r\n".join([*lines, "", ""]).encode(), body]


def endless(head: bytes, piece: bytes, pause_s: float = 0) -> Iterator[bytes]:
    """The head, then the piece repeatedly."""
    yield head
    pause = threading.Event()
    while True:
        pause.wait(pause_s)
        yield piece
