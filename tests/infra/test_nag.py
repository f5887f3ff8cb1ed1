"""The security review, and what it would find."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from infra.config import DeploymentConfig
from infra.nag import accept, add_review
from infra.stacks import add_stacks
from tests.conftest import ROOT
from tests.infra.conftest import LARGE, SMALL, Templates


def review(tmp_path: Path, stage: dict[str, Any] | None, spoil: bool = False) -> list[str]:
    """The rules that are broken and not accounted for."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(
        context=flags | {"stage": "test", "stages": {"test": stage}},
        outdir=str(tmp_path),
        builtin_cloud_formation_validation=False,
    )
    if stage is not None:
        add_stacks(app, DeploymentConfig.from_context(app.node))
    if spoil:
        s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")
    add_review(app)
    try:
        app.synth()
    except RuntimeError:
        assert (tmp_path / "validation-report.json").exists()
    report = tmp_path / "validation-report.json"
    if not report.exists():
        return []
    plugins = json.loads(report.read_text())["pluginReports"]
    return [violation["ruleName"] for plugin in plugins for violation in plugin["violations"]]


@pytest.mark.parametrize("stage", [SMALL, LARGE], ids=["small", "large"])
def test_there_is_no_open_finding(tmp_path: Path, stage: dict[str, Any]) -> None:
    assert review(tmp_path, stage) == []


def test_a_careless_bucket_is_found(tmp_path: Path) -> None:
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= set(review(tmp_path, None, spoil=True))


def test_every_acknowledgement_says_why() -> None:
    stack = cdk.Stack()
    with pytest.raises(ValueError, match="S1: say why"):
        accept(stack, {"S1": "ok"})


def test_the_linter_finds_nothing_with_every_setting_on(tmp_path: Path, large: Templates) -> None:
    for name, template in large.by_stack.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(template.to_json()))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "-t", *map(str, tmp_path.iterdir())]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")
