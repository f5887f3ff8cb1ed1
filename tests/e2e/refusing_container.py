"""A container that refuses every request, without generating anything."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from contract.problem import ErrorCode, Problem


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._respond(200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        problem = Problem.of(ErrorCode.INTERNAL, "This container refuses every request.")
        self._respond(problem.status, problem.model_dump_json().encode())

    def log_message(self, *arguments: object) -> None:
        pass

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
