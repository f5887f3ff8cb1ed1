"""The workflow does what the Makefile does and no more."""

import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def workflow() -> Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


@pytest.fixture(scope="module")
def job(workflow: Any) -> Any:
    (job,) = workflow["jobs"].values()
    return job


def test_every_command_is_a_target_of_the_makefile(job: Any) -> None:
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make setup", "make check", "make test"]
    assert {command.removeprefix("make ") for command in commands} <= set(TARGETS)


def test_every_action_is_githubs_own_at_a_major_version(job: Any) -> None:
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [action.partition("@")[0] for action in actions] == [
        "actions/checkout",
        "actions/setup-python",
        "actions/setup-node",
    ]
    assert all(re.fullmatch(r".+@v\d+", action) for action in actions)


def test_nothing_but_pips_index_is_set(job: Any) -> None:
    assert list(job["env"]) == ["PIP_EXTRA_INDEX_URL"]
    assert not [step for step in job["steps"] if "env" in step]


def test_it_may_only_read_and_has_an_end(workflow: Any, job: Any) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert job["timeout-minutes"] <= 60
    assert workflow["concurrency"]["cancel-in-progress"] is True


def test_python_and_node_are_the_oldest_that_the_project_promises(job: Any) -> None:
    settings = {step["uses"].partition("@")[0]: step["with"] for step in job["steps"] if "uses" in step}
    assert settings["actions/setup-python"]["python-version"] == "3.11"
    assert settings["actions/setup-node"]["node-version"] == "20"
    promise = re.search(r"Python (\S+) or newer, Node (\d+) or newer", (ROOT / "README.md").read_text())
    assert promise
    assert promise.groups() == ("3.11", "20")
