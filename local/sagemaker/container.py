"""The inference container as a local process: model download, start, health check and replacement."""

import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

from contract.environment import ContainerEnvironment
from contract.identifiers import S3Location
from local.aws import LocalAws
from local.processes import LOOPBACK, ChildProcess, ProcessEndedError, free_port

INFERENCE_COMMAND = (sys.executable, "-m", "inference")
_PING_INTERVAL_S = 0.1


class ContainerError(RuntimeError):
    """The container failed to start."""


class Container:
    """A process with the environment of the template's container definition, replaced whenever it ends."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        *,
        startup_timeout_s: float,
        directory: Path,
        command: Sequence[str] = INFERENCE_COMMAND,
    ) -> None:
        """Prepares the container; `start` starts it.

        Args:
            definition: the resolved `PrimaryContainer` of the template's model.
            startup_timeout_s: the longest time until the server is healthy.
            directory: for the model and the log.
            command: the program that serves the container protocol.
        """
        self._definition = definition
        self._startup_timeout_s = startup_timeout_s
        self._directory = directory
        # of its own for each container, and short: paths of sockets are limited to about 100 characters
        self._scratch = Path(mkdtemp(prefix="sd-"))
        self._command = command
        self._port = free_port()
        self._process: ChildProcess | None = None
        self._error: ContainerError | ProcessEndedError | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._healthy = threading.Event()
        self.url = f"http://{LOOPBACK}:{self._port}"

    def start(self, aws: LocalAws) -> None:
        """Downloads the model, starts the server with the credentials of `aws` and waits until it is healthy.

        From then on, a process that has ended is replaced, as SageMaker replaces an unhealthy container.

        Raises:
            ContainerError: there is no model at the given prefix, or the server is not healthy in time.
            ProcessEndedError: the server has ended.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        model_directory = self._directory / "model"
        self._download_model(aws, model_directory)
        process = self._launch(aws, model_directory)
        if process is not None:
            threading.Thread(
                target=self._replace_when_ended, args=(process, aws, model_directory), daemon=True
            ).start()

    def wait_healthy(self, timeout_s: float) -> bool:
        """Waits until the server is healthy; returns whether it is.

        Raises:
            ContainerError, ProcessEndedError: the server could not be replaced.
        """
        healthy = self._healthy.wait(timeout_s)
        if self._error is not None:
            raise self._error
        return healthy

    def check(self) -> None:
        """Raises ContainerError or ProcessEndedError if the server has ended and could not be replaced."""
        if self._error is not None:
            raise self._error

    def kill(self) -> None:
        """Kills the server; a new one replaces it."""
        with self._lock:
            if self._process is not None:
                self._healthy.clear()  # the process may still accept connections for a moment
                self._process.kill()

    def stop(self) -> None:
        """Stops the server, even while it starts."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _launch(self, aws: LocalAws, model_directory: Path) -> ChildProcess | None:
        """Starts the server and waits until it is healthy; None if the container has been stopped."""
        own = ContainerEnvironment.read(self._definition["Environment"]).model_copy(
            update={
                "model_directory": str(model_directory),
                "bind_host": LOOPBACK,
                "sagemaker_bind_to_port": self._port,
                "gpu_instance_types": (),  # whatever type the template names, this machine may have no GPU
            }
        )
        with self._lock:
            if self._stopped:
                return None
            self._process = process = ChildProcess(
                self._command,
                environment=aws.environment() | own.variables() | {"TMPDIR": str(self._scratch)},
                log=self._directory / "container.log",
            )
        self._wait_until_healthy(process)
        self._healthy.set()
        return process

    def _replace_when_ended(self, process: ChildProcess | None, aws: LocalAws, model_directory: Path) -> None:
        while process is not None:
            process.wait()
            self._healthy.clear()
            try:
                process = self._launch(aws, model_directory)
            except (ContainerError, ProcessEndedError) as error:
                if not self._stopped:
                    self._error = error
                self._healthy.set()  # ends the waiting
                return

    def _download_model(self, aws: LocalAws, directory: Path) -> None:
        if "ModelDataSource" not in self._definition:
            return  # the container downloads its model itself
        source = self._definition["ModelDataSource"]["S3DataSource"]["S3Uri"]
        prefix = S3Location.parse(source)
        s3 = aws.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        if not keys:
            raise ContainerError(f"there is no model at {source}")
        for key in keys:
            path = directory / key.removeprefix(prefix.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(prefix.bucket, key, str(path))

    def _wait_until_healthy(self, process: ChildProcess) -> None:
        deadline = time.monotonic() + self._startup_timeout_s
        with httpx.Client(base_url=self.url) as http:
            while time.monotonic() < deadline:
                process.check()
                try:
                    if http.get("/ping").is_success:
                        return
                except httpx.TransportError:
                    pass  # the port is not open yet
                time.sleep(_PING_INTERVAL_S)
        raise ContainerError(f"the container was not healthy within {self._startup_timeout_s} s")
