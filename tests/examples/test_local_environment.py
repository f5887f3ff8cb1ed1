"""The printed commands, run by a shell."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = str(ROOT / "examples" / "local_environment.py")


def test_the_commands_set_every_variable(
    endpoint_file: Path, endpoint: list[str], environment: dict[str, str]
) -> None:
    script = 'commands=$("$0" "$1" "$2"); eval "$commands"; env'
    done = subprocess.run(
        ["/bin/sh", "-euc", script, sys.executable, SCRIPT, str(endpoint_file)],
        env={"AWS_SESSION_TOKEN": "token-of-another-account"},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert variables["ENDPOINT"] == endpoint[1]
    assert variables["BUCKET"] == endpoint[3]
    assert "AWS_SESSION_TOKEN" not in variables
    for name in ("STABLE_DIFFUSION_API_URL", "STABLE_DIFFUSION_API_KEY", "AWS_ENDPOINT_URL"):
        assert variables[name] == environment[name]


def test_the_error_without_a_local_stack_names_the_command_that_starts_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, str(tmp_path / "endpoint.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("start the local stack with: make up\n")
