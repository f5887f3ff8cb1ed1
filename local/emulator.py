"""The emulated AWS account: MiniStack and the SageMaker emulator, without any stacks."""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from local.aws import LocalAws
from local.processes import LOOPBACK, ChildProcess, free_port
from local.sagemaker.container import INFERENCE_COMMAND
from local.sagemaker.control_plane import SageMakerEmulator
from local.sagemaker.notifications import Deliver, deliver
from local.web_server import WebServer, listen

_STARTUP_TIMEOUT_S = 60
_POLL_INTERVAL_S = 0.05


class StartError(RuntimeError):
    """The local stack could not be started."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of the emulation that tests and benchmarks replace.

    Attributes:
        ministack: the module that runs MiniStack.
        container: the program that serves the container protocol.
        deliver: passes SageMaker's completion messages on.
    """

    ministack: str = "local.ministack_server"
    container: Sequence[str] = INFERENCE_COMMAND
    deliver: Deliver = deliver


class Emulator:
    """A running emulation of the AWS services. `stop` ends all its processes and closes its ports."""

    def __init__(self, directory: Path, *, enforce_iam: bool = False, parts: Parts = Parts()) -> None:
        """Starts the processes without waiting for them.

        Args:
            directory: for MiniStack's files, the models and the logs.
            enforce_iam: calls are made over TLS, and their signatures and the caller's policies are checked.
            parts: the programs.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.aws = local_aws(directory, enforce_iam=enforce_iam)
        self.sagemaker = SageMakerEmulator(
            aws=self.aws,
            directory=directory / "endpoints",
            command=parts.container,
            deliver=parts.deliver,
        )
        with ExitStack() as cleanup:
            control_plane = WebServer(self.sagemaker.app(), listen(0))
            cleanup.callback(control_plane.stop)
            cleanup.callback(self.sagemaker.stop)
            self._ministack = start_ministack(self.aws, control_plane.url, directory, module=parts.ministack)
            cleanup.callback(self._ministack.stop)
            self._cleanup = cleanup.pop_all()

    def wait(self) -> None:
        """Waits until MiniStack is healthy.

        Raises:
            StartError: it is not healthy within the timeout.
            ProcessEndedError: its process has ended.
        """
        wait_for_ministack(self._ministack, self.aws)

    def check(self) -> None:
        """Raises ProcessEndedError or ContainerError if a process has ended and could not be replaced."""
        self._ministack.check()
        self.sagemaker.check()

    def stop(self) -> None:
        """Stops all processes."""
        self._cleanup.close()


def local_aws(directory: Path, *, enforce_iam: bool) -> LocalAws:
    """The address of a MiniStack to be started with its files under `directory`, on an unused port."""
    scheme = "https" if enforce_iam else "http"
    certificate = _scratch(directory) / "ministack-tls" / "server.crt"
    return LocalAws(
        url=f"{scheme}://{LOOPBACK}:{free_port()}", certificate=certificate if enforce_iam else None
    )


def start_ministack(
    aws: LocalAws, control_plane_url: str, directory: Path, *, module: str = Parts.ministack
) -> ChildProcess:
    """Starts MiniStack at the address of `aws`; with https it enforces IAM."""
    scratch = _scratch(directory)
    scratch.mkdir(exist_ok=True)
    parts = urlsplit(aws.url)
    secure = parts.scheme == "https"
    return ChildProcess(
        [sys.executable, "-m", module, control_plane_url],
        environment=aws.environment()
        | {
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(parts.port),
            "AUTH": str(secure).lower(),
            "USE_SSL": str(secure).lower(),
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",  # its listener would bind to every interface
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
        },
        log=directory / "ministack.log",
    )


def _scratch(directory: Path) -> Path:
    return directory / "ministack"


def wait_for_ministack(ministack: ChildProcess, aws: LocalAws) -> None:
    """Waits until MiniStack's health check succeeds.

    Raises:
        StartError: it does not succeed within the timeout.
        ProcessEndedError: the process has ended.
    """
    deadline = time.monotonic() + _STARTUP_TIMEOUT_S
    while time.monotonic() < deadline:
        ministack.check()
        try:
            if httpx.get(f"{aws.url}/_ministack/health", verify=aws.ssl_context()).is_success:
                return
        except (httpx.TransportError, FileNotFoundError):
            pass  # the port is not open yet, or the certificate has not been written yet
        time.sleep(_POLL_INTERVAL_S)
    raise StartError(f"MiniStack was not healthy within {_STARTUP_TIMEOUT_S} s; see {ministack.log}")
