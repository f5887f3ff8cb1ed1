"""The other ends of connections, in processes of their own: S3, and the clients of the container."""

import http.client
import json
import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any

from contract.identifiers import new_job_id

_CONTEXT = multiprocessing.get_context("spawn")


@contextmanager
def bucket_server() -> Iterator[str]:
    """The URL of a server that accepts every object and has none."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_serve_bucket, args=(sender,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{receiver.recv()}"
    finally:
        process.kill()
        process.join()


@contextmanager
def clients(number: int, port: int, document: Mapping[str, Any]) -> Iterator[Event]:
    """Clients that send jobs to `/invocations` while the event is set, each its next when one is answered."""
    active = _CONTEXT.Event()
    process = _CONTEXT.Process(target=_run_clients, args=(number, port, document, active), daemon=True)
    process.start()
    try:
        yield active
    finally:
        process.kill()
        process.join()


class _Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # a response in two packets waits for the acknowledgement of the first

    def do_PUT(self) -> None:
        """Reads the object and forgets it."""
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200)

    def do_GET(self) -> None:
        """Finds nothing."""
        self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def handle_expect_100(self) -> bool:
        """Leaves the answer to `do_PUT`."""
        return True

    def log_message(self, *_: object) -> None:
        """Logs nothing."""

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _serve_bucket(sender: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Bucket) as server:
        sender.send(server.server_address[1])
        server.serve_forever()


def _run_clients(number: int, port: int, document: Mapping[str, Any], active: Event) -> None:
    with ThreadPoolExecutor(number) as pool:
        for client in [pool.submit(_send, port, document, active) for _ in range(number)]:
            client.result()


def _send(port: int, document: Mapping[str, Any], active: Event) -> None:
    while active.wait():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/invocations", json.dumps({**document, "id": new_job_id()}))
        connection.getresponse().read()
        connection.close()
