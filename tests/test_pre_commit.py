"""The pre-commit hooks run the linters of `make check` at the pinned versions."""

import re
from importlib import metadata
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = [hook for repository in CONFIG["repos"] for hook in repository["hooks"]]
PINS = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_linter_of_make_check_from_the_virtual_environment(hook: Any) -> None:
    makefile = (ROOT / "Makefile").read_text()
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert check
    linters = {tuple(line.split()[:2]) for line in check[1].replace("$(BIN)", ".venv/bin").splitlines()}
    command = tuple(hook["entry"].split())
    assert any(command[: len(linter)] == linter for linter in linters), linters
    assert hook["language"] == "system"


@pytest.mark.parametrize("linter", ["ruff", "mypy"])
def test_the_installed_linters_have_the_pinned_versions(linter: str) -> None:
    assert any(f"/{linter}" in hook["entry"] for hook in HOOKS)
    assert metadata.version(linter) == PINS[linter]
