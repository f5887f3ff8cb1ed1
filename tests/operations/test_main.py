import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from operations.__main__ import main
from operations.versions import CDK_CLI
from tests.conftest import ROOT

NODE = shutil.which("node")
CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def run(*arguments: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in the repository's root without AWS credentials; `path` replaces the PATH."""
    environment = {name: value for name, value in os.environ.items() if name not in CREDENTIALS}
    environment |= {"COLUMNS": "200", **variables} | ({} if path is None else {"PATH": str(path)})
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def install(directory: Path, **scripts: str) -> Path:
    for name, script in scripts.items():
        program = directory / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return directory


def test_the_doctor_checks_what_needs_no_account(tmp_path: Path) -> None:
    path = install(tmp_path, node=f'exec {NODE} "$@"', npx=f"echo {CDK_CLI}")
    done = run("-m", "operations", "doctor", "--stage", "dev", path=path)
    assert done.returncode == 0
    assert "pass     configuration " in done.stdout
    assert "skipped  credentials " in done.stdout
    assert "skipped  quota ml.g4dn.xlarge" in done.stdout
    assert done.stdout.endswith("5 passed, 1 warnings, 0 failed, 2 skipped\n")


def test_the_doctor_without_node_fails_without_a_traceback(tmp_path: Path) -> None:
    done = run("-m", "operations", "doctor", "--stage", "dev", path=tmp_path)
    assert done.returncode == 1
    assert "fail     Node " in done.stdout
    assert "skipped  configuration " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["-m", "operations", "doctor", "--stage", "nope"], {}),
        (["-m", "operations", "cost", "--stage", "nope"], {}),
        (["app.py"], {"CDK_CONTEXT_JSON": '{"stage": "nope"}'}),
    ],
    ids=["doctor", "cost", "synth"],
)
def test_an_unknown_stage_is_rejected_with_the_existing_stages(
    tmp_path: Path, arguments: list[str], variables: dict[str, str]
) -> None:
    path = install(tmp_path, node=f'exec {NODE} "$@"', npx=f"echo {CDK_CLI}")
    done = run(*arguments, path=path, CDK_OUTDIR=str(tmp_path / "cdk.out"), **variables)
    assert done.returncode == 1
    printed = done.stdout + done.stderr
    assert "cdk.json has no stage 'nope'; its stages are: dev, prod. Choose one with STAGE=NAME" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "arguments", [("--images", "0"), ("--seconds", "0"), ("--seconds", "nan"), ("--images", "x")]
)
def test_an_invalid_option_is_rejected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["operations", "cost", *arguments])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_the_cost_of_one_number_of_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["operations", "cost", "--images", "5000", "--seconds", "2.5"])
    assert main() == 0
    printed = capsys.readouterr().out
    assert "measured 2.5 s per image" in printed
    assert "5,000 images" in printed
    assert "1,000,000 images" not in printed
