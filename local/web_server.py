"""An ASGI application served from a thread of this process."""

import errno
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from local.processes import LOOPBACK

_POLL_S = 0.02


class PortTakenError(RuntimeError):
    """Somebody else listens on the port."""


def listen(port: int) -> socket.socket:
    """A socket bound to the port of the loopback interface; port 0 takes any free one.

    Raises:
        PortTakenError: somebody else listens there.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(f"port {port} is taken by another program; choose one with PORT=...") from error
    return bound


class WebServer:
    """Serves an application until it is stopped."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        """Starts serving on a socket from `listen`."""
        host, port = bound.getsockname()
        self.url = f"http://{host}:{port}"
        self._bound = bound
        self._server = uvicorn.Server(
            uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, args=([bound],), daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stops serving and frees the port."""
        self._server.should_exit = True
        self._thread.join()
        self._bound.close()
