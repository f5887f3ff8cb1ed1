"""The container's process when it is told to stop."""

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

DRAIN_S = 5
"""A small job takes a tenth of it, the large one many times as long."""


class Container(ContainerProcess):
    def __init__(self, model: Path, aws: str, log: Path) -> None:
        super().__init__(
            log,
            variables={"AWS_ENDPOINT_URL": aws},
            model=ModelDeclaration(name="demo", limits=ModelLimits(max_steps=1000)),
            model_directory=str(model),
            drain_s=DRAIN_S,
        )

    def draw(self, **request: Any) -> httpx.Response:
        return self.http.post(
            "/invocations", json={"prompt": "a red circle", "width": 192, "height": 192, **request}
        )


@pytest.fixture
def container(demo_model: Path, tmp_path: Path) -> Iterator[Container]:
    with FakeHub({}).running() as aws:
        container = Container(demo_model, aws.url, tmp_path / "log")
        yield container
        container.end()


def test_small_jobs_are_finished_the_large_one_may_be_sent_again_and_the_process_ends(
    container: Container,
) -> None:
    wait_until(lambda: container.ping() == 200)
    with ThreadPoolExecutor() as pool:
        large = pool.submit(container.draw, count=4, steps=1000)
        small = pool.submit(container.draw, steps=2)
        wait_until(lambda: container.log.read_text().count("the job has arrived") == 2)
        container.process.send_signal(signal.SIGTERM)
        wait_until(lambda: container.ping() == 503)
        late = container.draw(steps=1)

        assert (late.status_code, late.json()["code"]) == (503, "endpoint_unavailable")
        assert small.result().status_code == 200
        cut_short = large.result()
    assert (cut_short.status_code, cut_short.headers["content-type"]) == (503, "application/problem+json")
    problem = cut_short.json()
    assert (problem["code"], problem["retryable"]) == ("endpoint_unavailable", True)
    assert container.process.wait(LIMIT_S) in (0, -signal.SIGTERM)
