"""The commands of examples/README.md, run section by section."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples.conftest import sizes

README = (ROOT / "examples" / "README.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL))
IMAGES = {
    "curl": 5,  # with the mask
    "The HTTP API from Python": 3,
    "The endpoint with boto3": 1,
    "The endpoint with the SageMaker Python SDK": 1,
}


def commands(section: str) -> str:
    blocks = re.findall(r"```console\n(.*?)```", SECTIONS[section], re.DOTALL)
    return "".join(blocks).replace("\n$ ", "\n").removeprefix("$ ")


def test_every_section_is_run_but_setup() -> None:
    assert {*SECTIONS} == {"Setup", *IMAGES}


@pytest.mark.parametrize("section", IMAGES)
def test_the_commands_save_images(
    section: str, environment: dict[str, str], endpoint: list[str], tmp_path: Path
) -> None:
    if section == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for name in ("docs", "examples", ".venv", ".venv-sagemaker"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=commands(section),
        cwd=tmp_path,
        env=environment | {"ENDPOINT": endpoint[1], "BUCKET": endpoint[3]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [*sizes(tmp_path), *sizes(tmp_path / "out")] == [(128, 128)] * IMAGES[section]
