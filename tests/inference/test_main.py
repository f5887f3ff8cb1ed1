"""The container as a process: a model from the Hugging Face hub, its token from a secret, JSON logs."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from contract.model import ModelDeclaration, ModelDefaults, ServedModel
from contract.source import HubSource
from tests.inference.container_process import ContainerProcess
from tests.inference.transfer.hub_server import REPOSITORY, REVISION, FakeHub
from tests.waiting import LIMIT_S, wait_until

TOKEN, WRONG_TOKEN = "hf_abcDEF123", "hf_wrong"
MARKER = "xyzzy"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:hub-AbCdEf"
SOURCE = HubSource(id=REPOSITORY, revision=REVISION, token_secret_arn=ARN)
DEFAULTS = ModelDefaults(width=64, height=64, steps=2)


class Container(ContainerProcess):
    def __init__(self, hub: FakeHub, directory: Path) -> None:
        super().__init__(
            directory / "log",
            variables={
                "HF_ENDPOINT": hub.url,
                "HF_HOME": str(directory),
                "TMPDIR": str(directory),
                "AWS_ENDPOINT_URL": hub.url,
                "AWS_MAX_ATTEMPTS": "1",
            },
            model=ModelDeclaration(name="demo", defaults=DEFAULTS),
            stage="test",
            model_source=SOURCE,
            companions=(ServedModel(name="twin", defaults=DEFAULTS, source=SOURCE),),
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The complete log lines, each of which must be a JSON object."""
        complete = self.log.read_text().rpartition("\n")[0]
        return [dict(json.loads(line)) for line in complete.splitlines()]

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(LIMIT_S)


@pytest.fixture
def hub(demo_model: Path) -> Iterator[FakeHub]:
    hub = FakeHub.of(demo_model)
    hub.token = TOKEN
    with hub.running():
        yield hub


@pytest.fixture
def container(hub: FakeHub, tmp_path: Path) -> Iterator[Container]:
    container = Container(hub, tmp_path)
    yield container
    container.stop()


def test_a_model_of_the_hub_generates_and_the_log_has_no_prompts_or_tokens(
    hub: FakeHub, container: Container
) -> None:
    hub.secret = TOKEN
    wait_until(lambda: container.ping() == HTTPStatus.OK)
    prompts = {"prompt": f"a {MARKER} circle " * 50, "negative_prompt": MARKER}
    assert container.http.post("/invocations", json=prompts).status_code == 200
    assert container.http.post("/invocations", json=prompts | {"model": "twin"}).json()["model"] == "twin"
    assert container.http.post("/invocations", json={"prompt": [MARKER]}).status_code == 422
    assert container.http.post("/invocations", content=f'{{"prompt": "{MARKER}').status_code == 400
    container.stop()

    assert {"timestamp", "level", "logger", "message"} <= set.intersection(*map(set, container.lines))
    loaded = [(line["Stage"], line["Model"]) for line in container.lines if "ModelLoadSeconds" in line]
    assert loaded == [("test", "demo"), ("test", "twin")]
    assert [line["Failures"] for line in container.lines if "Failures" in line] == [[0], [0], [1], [1]]
    assert MARKER not in container.log.read_text()
    assert TOKEN not in container.log.read_text()


def test_a_token_that_the_hub_refuses_is_logged_without_the_token(hub: FakeHub, container: Container) -> None:
    hub.secret = WRONG_TOKEN
    wait_until(lambda: any(line["level"] == "ERROR" for line in container.lines))
    assert container.http.get("/ping").json()["code"] == "model_load_failed"
    (line,) = [line for line in container.lines if line["level"] == "ERROR"]
    assert "model_source.token_secret_arn: the Hub denied access to someone/a-model" in line["exception"]
    assert WRONG_TOKEN not in container.log.read_text()
