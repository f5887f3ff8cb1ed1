"""Shutdown of the container's process by SIGTERM."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.model import ModelDeclaration, ModelLimits
from tests.inference.container_process import ContainerProcess
from tests.inference.transfer.hub_server import FakeHub
from tests.waiting import LIMIT_S, wait_until

DRAIN_S = 2
"""Several times as long as the short job takes, a fraction of the long one's time."""


class Container(ContainerProcess):
    def __init__(self, model: Path, aws: str, log: Path) -> None:
        super().__init__(
            log,
            variables={"AWS_ENDPOINT_URL": aws},
            model=ModelDeclaration(name="demo", limits=ModelLimits(max_steps=1000)),
            model_directory=str(model),
            drain_s=DRAIN_S,
        )

    def invoke(self, **request: Any) -> httpx.Response:
        return self.http.post("/invocations", json={"prompt": "a red circle", **request})


@pytest.fixture
def container(demo_model: Path, tmp_path: Path) -> Iterator[Container]:
    with FakeHub({}).running() as aws:
        container = Container(demo_model, aws.url, tmp_path / "log")
        yield container
        container.end()


def test_sigterm_lets_short_jobs_finish_ends_long_ones_as_retryable_and_exits(container: Container) -> None:
    wait_until(lambda: container.ping() == 200)
    with ThreadPoolExecutor() as pool:
        long = pool.submit(container.invoke, width=192, height=192, steps=1000)
        short = pool.submit(container.invoke, width=64, height=64, steps=1)
        wait_until(lambda: container.log.read_text().count("job started") == 2)
        container.process.send_signal(signal.SIGTERM)
        wait_until(lambda: container.ping() == 503)
        late = container.invoke(steps=1)

        assert (late.status_code, late.json()["code"]) == (503, "endpoint_unavailable")
        assert short.result().status_code == 200
        ended = long.result()
    assert (ended.status_code, ended.headers["content-type"]) == (503, "application/problem+json")
    problem = ended.json()
    assert (problem["code"], problem["retryable"]) == ("endpoint_unavailable", True)
    assert container.process.wait(LIMIT_S) in (0, -signal.SIGTERM)
