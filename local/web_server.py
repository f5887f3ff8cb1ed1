"""An ASGI server that runs in a thread of this process."""

import errno
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from local.processes import LOOPBACK

_POLL_INTERVAL_S = 0.02


class PortTakenError(RuntimeError):
    """The port is in use by another program."""


def listen(port: int) -> socket.socket:
    """Binds a socket to a port of the loopback interface; port 0 selects an unused one.

    Raises:
        PortTakenError: the port is in use.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(
            f"port {port} is in use by another program; choose another one with PORT=..."
        ) from error
    return bound


class WebServer:
    """Serves an ASGI application on a socket from `listen` until `stop` is called."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        host, port = bound.getsockname()
        self.url = f"http://{host}:{port}"
        self._bound = bound
        self._server = uvicorn.Server(
            uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, args=([bound],), daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_POLL_INTERVAL_S)

    def stop(self) -> None:
        """Stops the server and closes the socket."""
        self._server.should_exit = True
        self._thread.join()
        self._bound.close()
