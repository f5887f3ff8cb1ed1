"""A container that echoes requests, answers late, fails or ends, as the request's body says."""

import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._respond(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"die":
            os._exit(9)
        if body.startswith(b"sleep "):
            time.sleep(float(body.removeprefix(b"sleep ")))
        if body == b"fail":
            self._respond(422, b"unusable")
        else:
            self._respond(200, body)

    def log_message(self, *arguments: object) -> None:
        pass

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
