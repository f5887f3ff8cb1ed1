"""The emulated cloud with the stand-in for SageMaker beside it, empty as a new account."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from local.aws import LocalAws
from local.processes import LOOPBACK, ChildProcess, free_port
from local.sagemaker.control_plane import SageMaker
from local.web_server import WebServer, listen

_START_S = 30
_POLL_S = 0.05


class StartError(RuntimeError):
    """The local stack could not be started."""


class Emulation:
    """A running emulation. `stop` leaves no process and no port behind."""

    def __init__(self, directory: Path, *, enforce_iam: bool = False) -> None:
        """Begins to start it.

        Args:
            directory: for its files, the models and the logs.
            enforce_iam: every call is signed, made over TLS and held against the caller's policies.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.aws = local_aws(directory, enforce_iam=enforce_iam)
        self.sagemaker = SageMaker(aws=self.aws, directory=directory / "endpoints")
        with ExitStack() as cleanup:
            control = WebServer(self.sagemaker.app(), listen(0))
            cleanup.callback(control.stop)
            cleanup.callback(self.sagemaker.stop)
            self._cloud = start_cloud(self.aws, control.url, directory)
            cleanup.callback(self._cloud.stop)
            self._cleanup = cleanup.pop_all()

    def wait(self) -> None:
        """Waits until it answers.

        Raises:
            StartError: it does not within its time.
            ProcessEndedError: it has ended.
        """
        wait_for_cloud(self._cloud, self.aws)

    def check(self) -> None:
        """Raises ProcessEndedError if the cloud or a container has ended."""
        self._cloud.check()
        self.sagemaker.check()

    def stop(self) -> None:
        """Ends everything."""
        self._cleanup.close()


def local_aws(directory: Path, *, enforce_iam: bool) -> LocalAws:
    """Where a cloud with its files under `directory` will answer."""
    scheme = "https" if enforce_iam else "http"
    certificate = _scratch(directory) / "ministack-tls" / "server.crt"
    return LocalAws(
        url=f"{scheme}://{LOOPBACK}:{free_port()}", certificate=certificate if enforce_iam else None
    )


def start_cloud(aws: LocalAws, control_url: str, directory: Path) -> ChildProcess:
    """Starts the emulated cloud as `aws` describes it."""
    scratch = _scratch(directory)
    scratch.mkdir(exist_ok=True)
    parts = urlsplit(aws.url)
    secure = parts.scheme == "https"
    return ChildProcess(
        [sys.executable, "-m", "local.ministack_server", control_url],
        environment=aws.environment()
        | {
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(parts.port),
            "AUTH": str(secure).lower(),
            "USE_SSL": str(secure).lower(),
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
            "TMPDIR": str(scratch),
            "HOME": str(scratch),
        },
        log=directory / "cloud.log",
    )


def _scratch(directory: Path) -> Path:
    return directory / "cloud"


def wait_for_cloud(cloud: ChildProcess, aws: LocalAws) -> None:
    """Waits until the emulated cloud answers.

    Raises:
        StartError: it does not within its time.
        ProcessEndedError: it has ended.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        cloud.check()
        try:
            if httpx.get(f"{aws.url}/_ministack/health", verify=aws.ssl_context()).is_success:
                return
        except (httpx.TransportError, FileNotFoundError):
            pass  # it does not listen yet, or has not made its certificate
        time.sleep(_POLL_S)
    raise StartError(f"the emulated cloud did not answer within {_START_S} s; see {cloud.log}")
