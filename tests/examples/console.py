"""Shell commands in Markdown documents."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT


def sections(document: Path) -> dict[str, str]:
    """Heading to text, of every section of the second level."""
    return dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", document.read_text(), re.MULTILINE | re.DOTALL))


def run_commands(
    section: str, directory: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs the commands of a section's console blocks, all in one shell.

    Args:
        section: contains no output of the commands.
        directory: empty; gets links to the project's files that commands use.
        environment: the environment variables.
    """
    for name in ("docs", "examples", ".venv", ".venv-sagemaker"):
        (directory / name).symlink_to(ROOT / name)
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return subprocess.run(
        ["/bin/sh", "-eu"],
        input="".join(blocks).replace("\n$ ", "\n").removeprefix("$ "),
        cwd=directory,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
