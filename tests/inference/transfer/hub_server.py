"""A fake Hugging Face Hub on loopback, with the endpoints that a download uses and their errors.

It also answers as Secrets Manager and S3, which tests of the container need.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from contract.manifest import MANIFEST

REPOSITORY = "someone/a-model"
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """One repository at one commit.

    Attributes:
        files: name to content.
        token: required for access; None: public. A request with any other token is refused, as by the Hub.
        gated: the terms have not been accepted: files can be listed but not downloaded.
        forbidden: names of files that cannot be downloaded.
        interrupted: names of files whose first download breaks off halfway.
        requests: method, path and Range header of each request.
        secret: text of every secret.
        url: set while the server runs.
    """

    files: dict[str, bytes]
    token: str | None = None
    gated: bool = False
    forbidden: set[str] = field(default_factory=set)
    interrupted: set[str] = field(default_factory=set)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    secret: str = ""
    url: str = ""

    @classmethod
    def of(cls, directory: Path) -> "FakeHub":
        """A repository with the directory's files, without its manifest."""
        paths = [path for path in directory.rglob("*") if path.is_file() and path.name != MANIFEST]
        return cls({path.relative_to(directory).as_posix(): path.read_bytes() for path in paths})

    @property
    def fetched(self) -> list[str]:
        """The files that were downloaded, in alphabetical order."""
        prefix = f"/{REPOSITORY}/resolve/{REVISION}/"
        gets = {path for method, path, _ in self.requests if method == "GET" and path.startswith(prefix)}
        return sorted(path.removeprefix(prefix) for path in gets)

    @contextmanager
    def running(self) -> Iterator["FakeHub"]:
        """Serves the repository in a thread."""
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        """Answers S3's PutObject."""
        self._read_body()
        self._send(HTTPStatus.OK, b"", {"ETag": '"0"'})

    def do_POST(self) -> None:
        """Answers Secrets Manager's GetSecretValue."""
        self._read_body()
        self._send(HTTPStatus.OK, json.dumps({"SecretString": self.hub.secret}).encode(), {})

    def _read_body(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path, self.headers["Range"]))
        given = self.headers["Authorization"]
        if given is not None and given != f"Bearer {self.hub.token}":
            self._refuse(HTTPStatus.UNAUTHORIZED, None, "Invalid credentials in Authorization header")
        elif REPOSITORY not in path or (self.hub.token is not None and given is None):
            self._refuse(HTTPStatus.UNAUTHORIZED, "RepoNotFound", "Repository not found")
        elif REVISION not in path:
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound", "Invalid rev id")
        elif path == f"/api/models/{REPOSITORY}/tree/{REVISION}":
            self._list()
        elif self.hub.gated:
            self._refuse(HTTPStatus.FORBIDDEN, "GatedRepo", "Access to model is restricted")
        else:
            self._send_file(path.removeprefix(f"/{REPOSITORY}/resolve/{REVISION}/"))

    def _list(self) -> None:
        tree = [
            {"type": "file", "oid": hashlib.sha1(content).hexdigest(), "size": len(content), "path": name}  # noqa: S324
            for name, content in self.hub.files.items()
        ]
        self._send(HTTPStatus.OK, json.dumps(tree).encode(), {"Content-Type": "application/json"})

    def _send_file(self, name: str) -> None:
        if name in self.hub.forbidden:
            self._refuse(HTTPStatus.FORBIDDEN, None, "Forbidden")
            return
        content = self.hub.files[name]
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
        if self.command == "GET" and name in self.hub.interrupted:
            self.hub.interrupted.discard(name)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif (wanted := self.headers["Range"]) is not None:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._send(HTTPStatus.PARTIAL_CONTENT, content[start:], headers)
        else:
            self._send(HTTPStatus.OK, content, headers)

    def _refuse(self, status: HTTPStatus, code: str | None, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self._send(status, b"", headers)

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
