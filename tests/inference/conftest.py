import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from aws_lambda_powertools.logging.formatter import clear_context_keys
from moto import mock_aws

from inference.invocation.handler import InvocationHandler
from inference.observability.logs import ContextThreads, start_logging
from inference.server.app import create_app
from local.web_server import WebServer, listen
from tests.inference.fake_engine import BUCKET, ScriptedEngine


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="module")
def engine_cores() -> Iterator[None]:
    """As many cores as the engine's thread has: their number decides the last bits, and the speed."""
    import torch

    from inference.diffusion.modules.torch_threads import spare_a_core

    cores = torch.get_num_threads()
    spare_a_core()
    yield
    torch.set_num_threads(cores)


@pytest.fixture(scope="module")
def transfers() -> Iterator[ContextThreads]:
    with ContextThreads(max_workers=4) as threads:
        yield threads


@pytest.fixture
def engine() -> ScriptedEngine:
    engine = ScriptedEngine()
    engine.gate.set()
    return engine


@pytest.fixture
def serve(s3: Any) -> Iterator[Callable[[Callable[[], InvocationHandler]], httpx.Client]]:
    """Serves an app around a loader, and gives a client of it."""
    servers, clients = [], []

    def start(load: Callable[[], InvocationHandler]) -> httpx.Client:
        servers.append(WebServer(create_app(load), listen(0)))
        clients.append(httpx.Client(base_url=servers[-1].url, timeout=30))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.stop()


class Log:
    """What has been logged, as the container logs it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def with_(self, key: str) -> list[dict[str, Any]]:
        """The lines that have the key."""
        return [line for line in self.lines if key in line]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Logs as the container does, until the test ends."""
    log, root = Log(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)  # the tests' own client
    monkeypatch.setattr(sys, "stdout", log.stream)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    start_logging()
    yield log
    clear_context_keys()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="module")
def tiny_sd(demo_model: Path) -> Any:
    """A Stable Diffusion of the smallest kind."""
    from tests.inference import tiny_models

    return tiny_models.sd(demo_model)


@pytest.fixture
def start_loop(tiny_sd: Any) -> Iterator[Callable[..., Any]]:
    """Starts denoising loops around the tiny model; takes what `Batcher` does."""
    from tests.inference.diffusion.denoising.loop_harness import Loop

    loops = []

    def start(**turns: Any) -> Loop:
        loops.append(Loop(tiny_sd, **turns))
        return loops[-1]

    yield start
    for loop in loops:
        loop.close()


@pytest.fixture
def loop(start_loop: Callable[..., Any]) -> Any:
    """A denoising loop that draws eight images at once."""
    return start_loop()
