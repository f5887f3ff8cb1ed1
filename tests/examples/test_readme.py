"""The commands of examples/README.md, run section by section."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.examples.conftest import sizes
from tests.examples.console import run_commands, sections

SECTIONS = sections(ROOT / "examples" / "README.md")
IMAGES = {
    "curl": 5,  # with the mask
    "The HTTP API from Python": 3,
    "The endpoint with boto3": 1,
    "The endpoint with the SageMaker Python SDK": 1,
}


def test_every_section_except_setup_is_run() -> None:
    assert {*SECTIONS} == {"Setup", *IMAGES}


@pytest.mark.parametrize("section", IMAGES)
def test_the_commands_save_images(
    section: str, environment: dict[str, str], endpoint: list[str], tmp_path: Path
) -> None:
    if section == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    variables = environment | {"ENDPOINT": endpoint[1], "BUCKET": endpoint[3]}
    done = run_commands(SECTIONS[section], tmp_path, variables)
    assert done.returncode == 0, done.stderr
    assert [*sizes(tmp_path), *sizes(tmp_path / "out")] == [(128, 128)] * IMAGES[section]
