"""The CI workflow runs the Makefile's targets."""

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


def test_every_command_is_a_makefile_target(job: Any) -> None:
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make setup", "make check", "make test"]
    assert {command.removeprefix("make ") for command in commands} <= set(TARGETS)


def test_every_action_is_githubs_own_with_a_major_version(job: Any) -> None:
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [action.partition("@")[0] for action in actions] == [
        "actions/checkout",
        "actions/setup-python",
        "actions/setup-node",
    ]
    assert all(re.fullmatch(r".+@v\d+", action) for action in actions)


def test_only_the_torch_index_is_set_in_the_environment(job: Any) -> None:
    assert list(job["env"]) == ["TORCH_INDEX_URL"]
    assert not [step for step in job["steps"] if "env" in step]


def test_permissions_are_read_only_and_the_job_has_a_timeout(workflow: Any, job: Any) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert job["timeout-minutes"] <= 60
    assert workflow["concurrency"]["cancel-in-progress"] is True


def test_python_and_node_are_the_oldest_supported_versions(job: Any) -> None:
    settings = {step["uses"].partition("@")[0]: step["with"] for step in job["steps"] if "uses" in step}
    assert settings["actions/setup-python"]["python-version"] == "3.11"
    assert settings["actions/setup-node"]["node-version"] == "20"
    supported = re.search(r"Python (\S+) or newer, Node (\d+) or newer", (ROOT / "README.md").read_text())
    assert supported
    assert supported.groups() == ("3.11", "20")
