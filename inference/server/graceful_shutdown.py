"""Graceful shutdown: the server keeps its socket open until all running jobs have ended."""

import asyncio
import logging
import os
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from inference.invocation.running_jobs import RunningJobs

# Together with drain_s (at most 20 s) and CLOSE_TIMEOUT_S less than the 30 s that SageMaker grants.
_GRACE_S = 4
_CLOSE_CONNECTIONS_S = 1

_LOGGER = logging.getLogger(__name__)


class GracefulShutdownServer(uvicorn.Server):
    """A uvicorn server that drains the running jobs before it closes its socket.

    uvicorn alone closes the socket first, so that SageMaker could not connect. Until the drain ends this
    server responds to new jobs with a problem document, which says that another container must take them.
    """

    def __init__(
        self, app: ASGIApp, running_jobs: RunningJobs, *, host: str, port: int, drain_s: float
    ) -> None:
        """Creates the server.

        Args:
            app: the ASGI application.
            running_jobs: its jobs.
            host: address to bind.
            port: port to bind.
            drain_s: seconds that running jobs have to generate their images after the signal to stop.
        """
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_CLOSE_CONNECTIONS_S,
            )
        )
        self._running_jobs = running_jobs
        self._drain_s = drain_s

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until a signal stops it, then exits the process without waiting for its threads."""
        with suppress(KeyboardInterrupt):
            asyncio.new_event_loop().run_until_complete(self.serve(sockets))
        logging.shutdown()
        os._exit(os.EX_OK)  # uvicorn raises the signal again, which does not end a container's first process

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drains the running jobs, then closes the socket."""
        _LOGGER.info("shutting down; no more jobs are admitted")
        await self._running_jobs.drain(timeout_s=self._drain_s, grace_s=_GRACE_S)
        await super().shutdown(sockets)
