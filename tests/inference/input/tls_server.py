"""A TLS server on the loopback interface that answers byte by byte as a test says."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

HOST = "pictures.example"

Script = Mapping[str, Iterable[bytes]]
"""What is sent for a path, piece by piece; Iterators go on as long as the client listens."""


def certificate(directory: Path, host: str = HOST) -> Path:
    """A file with a key and a certificate for the host that vouches for itself."""
    file = directory / f"{host}.pem"
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file)
    subject = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    subprocess.run(["openssl", "req", "-x509", *key, *subject, "-out", file], check=True, capture_output=True)  # noqa: S607
    return file


class TlsServer:
    """Answers every request on a connection of its own, until it is stopped."""

    def __init__(self, certificate: Path, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
                self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, self._context.wrap_socket(connection, server_side=True) as tls:
            head = b""
            while b"\r\n\r\n" not in head:
                received = tls.recv(4096)
                if not received:
                    return
                head += received
            self.requests.append(head)
            path = head.split(b" ")[1].decode().partition("?")[0]
            for piece in self._script[path]:
                tls.sendall(piece)


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> list[bytes]:
    """A whole HTTP answer, which ends with its connection; `length` is what it claims."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", *headers]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ["\r\n".join([*lines, "", ""]).encode(), body]


def endlessly(head: bytes, piece: bytes, pause_s: float = 0) -> Iterator[bytes]:
    """The head, and the piece for ever."""
    yield head
    pause = threading.Event()
    while True:
        pause.wait(pause_s)
        yield piece
