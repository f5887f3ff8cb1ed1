"""The container as a subprocess, for tests over HTTP."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from contract.environment import ContainerEnvironment
from local.processes import LOOPBACK, free_port
from tests.conftest import ROOT
from tests.waiting import LIMIT_S


class ContainerProcess:
    """A running container.

    Attributes:
        log: the file that receives its standard output and standard error.
        http: a client of its server.
        process: the subprocess.
    """

    def __init__(
        self,
        log: Path,
        *,
        variables: dict[str, str],
        command: Sequence[str] = (sys.executable, "-m", "inference"),
        **environment: Any,
    ) -> None:
        """Starts the process.

        Args:
            log: file to write its output to.
            variables: additional environment variables.
            command: the program that serves.
            environment: fields of `ContainerEnvironment`; address and data bucket are set here.
        """
        port = free_port()
        settings = ContainerEnvironment(
            data_bucket_name="data", bind_host=LOOPBACK, sagemaker_bind_to_port=port, **environment
        )
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | variables | settings.variables(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.http = httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=LIMIT_S)

    def ping(self) -> int:
        """The status code of GET /ping; 0 while the server does not accept connections."""
        try:
            return self.http.get("/ping").status_code
        except httpx.TransportError:
            return 0

    def end(self) -> None:
        """Kills the process."""
        self.http.close()
        self.process.kill()
        self.process.wait()
