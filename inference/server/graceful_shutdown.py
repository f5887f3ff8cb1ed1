"""The server's end: it answers until every job that it has taken has an answer."""

import asyncio
import logging
import os
import socket
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from inference.invocation.running_jobs import RunningJobs

_ANSWERING_S = 5  # with the limits on drain_s, on the engine's end and below, less than SageMaker's 30 s
_CLOSING_S = 1

_LOGGER = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Serves until it is told to stop, and then goes on answering while jobs are running.

    uvicorn alone would close its socket first: SageMaker would find nobody, where it is now told in words
    that the job should go to another container.
    """

    def __init__(self, app: ASGIApp, running: RunningJobs, *, host: str, port: int, drain_s: float) -> None:
        """Takes the application, its jobs, and the seconds that these are given to be drawn."""
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                access_log=False,
                log_config=None,
                timeout_graceful_shutdown=_CLOSING_S,
            )
        )
        self._running = running
        self._drain_s = drain_s

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until it is told to stop, and then ends the process, whatever its threads still do."""
        with suppress(KeyboardInterrupt):
            asyncio.new_event_loop().run_until_complete(self.serve(sockets))
        logging.shutdown()
        os._exit(
            os.EX_OK
        )  # as the first process of its container it survives the signal that uvicorn repeats

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets jobs finish before the socket closes."""
        _LOGGER.info("no more jobs are taken")
        await self._running.drain(limit_s=self._drain_s, answering_s=_ANSWERING_S)
        await super().shutdown(sockets)
