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
from inference.observability.logs import ContextThreadPool, start_logging
from inference.server.app import create_app
from local.web_server import WebServer, listen
from tests.inference.fake_engine import BUCKET, FakeEngine
from tests.waiting import LIMIT_S


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="module")
def engine_thread_count() -> Iterator[None]:
    """Sets torch's thread count to the engine thread's: the results' last bits and the speed depend on it."""
    import torch

    from inference.diffusion.modules.torch_threads import spare_a_core

    before = torch.get_num_threads()
    spare_a_core()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def executor() -> Iterator[ContextThreadPool]:
    with ContextThreadPool(max_workers=4) as threads:
        yield threads


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.gate.set()
    return engine


@pytest.fixture
def serve(s3: Any) -> Iterator[Callable[[Callable[[], InvocationHandler]], httpx.Client]]:
    """Starts a server for a handler loader and returns a client."""
    servers, clients = [], []

    def start(load: Callable[[], InvocationHandler]) -> httpx.Client:
        servers.append(WebServer(create_app(load), listen(0)))
        clients.append(httpx.Client(base_url=servers[-1].url, timeout=LIMIT_S))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.stop()


class Log:
    """The container's log: one JSON object a line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def lines_with(self, key: str) -> list[dict[str, Any]]:
        """The lines that contain the key."""
        return [line for line in self.lines if key in line]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Configures logging as the container does, for the test's duration."""
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
    """A tiny Stable Diffusion with random weights."""
    from tests.inference import tiny_models

    return tiny_models.sd(demo_model)


@pytest.fixture
def start_loop(tiny_sd: Any) -> Iterator[Callable[..., Any]]:
    """Creates `LoopHarness`es of `tiny_sd`; takes the arguments of `Batcher`."""
    from tests.inference.diffusion.denoising.loop_harness import LoopHarness

    loops = []

    def start(**batcher: Any) -> LoopHarness:
        loops.append(LoopHarness(tiny_sd, **batcher))
        return loops[-1]

    yield start
    for loop in loops:
        loop.close()


@pytest.fixture
def loop(start_loop: Callable[..., Any]) -> Any:
    """A `LoopHarness` with batches of up to eight images."""
    return start_loop()
