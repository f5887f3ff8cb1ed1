"""Slow HTTPS hosts of input images.

The deployed container refuses addresses of the loopback interface. These attacks run the container's program
in a process of its own, whose fetcher resolves every host to the loopback interface, permits that, and trusts
the certificate of the hosts; everything else is as deployed. The jobs are sent to its server directly.
"""

import ssl
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import Any

import httpx

from bench.attack.jobs import JOBS, TIMEOUT_S, TINY_JOB, Cost, container_of, good_job, image_fields
from bench.attack.kills import started
from bench.attack.usage import Container, wait_until, watched
from contract.identifiers import new_job_id
from contract.keys import cancellation_key
from guarded_http.client import GuardedClient
from inference.__main__ import main
from inference.input.public_fetcher import PublicFetcher
from local.processes import LOOPBACK, free_port
from local.stack import LocalStack
from tests.guarded_http.tls_server import HOLD, HOST, Script, TlsServer, certificate, endless

_COMMAND = ("-c", "from bench.attack.hosts import serve; serve()")
_TIME_LIMIT_S = 30.0
_LEAVE_S = 3.0
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


class _Drip:
    """A byte every 0.1 s, for each connection."""

    def __iter__(self) -> Iterator[bytes]:
        return endless(_HEAD, b"x", pause_s=0.1)


_SCRIPT: Script = {"/silent": [HOLD], "/body": [_HEAD, HOLD], "/drip": _Drip()}


class End(Enum):
    """The end of the hostile jobs."""

    TIME_LIMIT = auto()
    CANCELED = auto()
    CALLER_LEAVES = auto()


HOSTS: Mapping[str, tuple[str, End]] = {
    "silent after the request": ("silent", End.TIME_LIMIT),
    "a byte every 0.1 s": ("drip", End.TIME_LIMIT),
    "silent, and the jobs are canceled": ("silent", End.CANCELED),
    "silent, and the callers leave": ("body", End.CALLER_LEAVES),
}


class SlowHosts:
    """A container that fetches from slow hosts on the loopback interface.

    Attributes:
        container: the running container.
        command: arguments of Python that start it.
    """

    def __init__(
        self, stack: LocalStack, server: TlsServer, container: Container, command: tuple[str, ...]
    ) -> None:
        self.container = container
        self.command = command
        self._server = server
        self._s3 = stack.aws.client("s3")
        self._bucket = stack.address.data_bucket
        self._good_job = good_job(stack)
        self.time_of_good_job()  # starts the fork server, which belongs to the idle container

    def time_of_good_job(self) -> float:
        """Seconds that a job with an input image in S3 takes."""
        started_at = time.monotonic()
        httpx.post(
            f"{self.container.url}/invocations", json=self._good_job, timeout=TIMEOUT_S
        ).raise_for_status()
        return time.monotonic() - started_at

    def attack(self, path: str, end: End, *, jobs: int = JOBS) -> Cost:
        """Sends jobs with six images each from a slow host, and a good job."""
        uris = [f"https://{HOST}:{self._server.port}/{path}?{number}" for number in range(6)]
        requests = [{**TINY_JOB, **image_fields(uris), "id": new_job_id()} for _ in range(jobs)]
        timeout_s = _LEAVE_S if end is End.CALLER_LEAVES else TIMEOUT_S
        with watched(self.container) as watch, ThreadPoolExecutor(jobs) as pool:
            connections, started_at = len(self._server.requests), time.monotonic()
            running = [pool.submit(self._outcome, request, timeout_s) for request in requests]
            wait_until(lambda: len(self._server.requests) >= connections + jobs)
            if end is End.CANCELED:
                for request in requests:
                    self._s3.put_object(Bucket=self._bucket, Key=cancellation_key(request["id"]), Body=b"")
            good_job_s = self.time_of_good_job()
            outcomes = tuple(each.result() for each in running)
            hostile_jobs_s = time.monotonic() - started_at
        return Cost(good_job_s, hostile_jobs_s, outcomes, watch)

    def _outcome(self, request: Mapping[str, Any], timeout_s: float) -> str:
        try:
            response = httpx.post(f"{self.container.url}/invocations", json=request, timeout=timeout_s)
        except httpx.ReadTimeout:
            return "caller has left"
        return "succeeded" if response.is_success else str(response.json()["code"])


@contextmanager
def slow_hosts(stack: LocalStack, *, time_limit_s: float = _TIME_LIMIT_S) -> Iterator[SlowHosts]:
    """Starts the hosts and the container.

    Args:
        stack: provides the container's environment and its buckets.
        time_limit_s: of the container's fetcher.
    """
    with tempfile.TemporaryDirectory() as directory:
        trust = certificate(Path(directory))
        server = TlsServer(trust, _SCRIPT)
        command = (*_COMMAND, str(trust), str(server.port), str(time_limit_s))
        environment = {"SAGEMAKER_BIND_TO_PORT": str(free_port()), "TMPDIR": directory}
        try:
            with started(container_of(stack), *command, **environment) as container:
                yield SlowHosts(stack, server, container, command)
        finally:
            server.stop()


def serve() -> None:
    """The container's program, with a fetcher for the hosts of `slow_hosts`."""
    trust, port, time_limit_s = sys.argv[1:]
    main(
        PublicFetcher(
            GuardedClient(
                resolve=lambda _host, _port: [LOOPBACK],
                is_allowed=lambda address: address == LOOPBACK,
                port=int(port),
                trust=ssl.create_default_context(cafile=trust),
                time_limit_s=float(time_limit_s),
            )
        )
    )
