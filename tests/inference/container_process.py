"""The container's process, for tests that look at it from outside."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from contract.environment import ContainerEnvironment
from local.processes import LOOPBACK, free_port
from tests.conftest import ROOT

START_S = 120


class ContainerProcess:
    """A process and what it has written, on both streams.

    Attributes:
        log: the file that it writes to.
        http: a client of it.
    """

    def __init__(self, log: Path, *, variables: dict[str, str], **environment: Any) -> None:
        """Starts it.

        Args:
            log: see there.
            variables: of its environment, beside its own.
            environment: fields of its own, `ContainerEnvironment`, beside the address.
        """
        port = free_port()
        told = ContainerEnvironment(
            data_bucket_name="data", bind_host=LOOPBACK, sagemaker_bind_to_port=port, **environment
        )
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inference"],
                cwd=ROOT,
                env=os.environ | variables | told.variables(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.http = httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=60)

    def ping(self) -> int:
        """The answer's status; 0 where nobody answers yet."""
        try:
            return self.http.get("/ping").status_code
        except httpx.TransportError:
            return 0

    def end(self) -> None:
        """Ends it, whatever it is doing."""
        self.http.close()
        self.process.kill()
        self.process.wait()
