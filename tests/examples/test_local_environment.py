"""What a shell that has run the printed commands holds."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

SCRIPT = str(ROOT / "examples" / "local_environment.py")


def test_a_shell_learns_where_everything_is(
    note: Path, endpoint: list[str], environment: dict[str, str]
) -> None:
    script = 'commands=$("$0" "$1" "$2"); eval "$commands"; env'
    done = subprocess.run(
        ["/bin/sh", "-euc", script, sys.executable, SCRIPT, str(note)],
        env={"AWS_SESSION_TOKEN": "of another account"},
        capture_output=True,
        text=True,
        check=True,
    )
    learnt = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert learnt["ENDPOINT"] == endpoint[1]
    assert learnt["BUCKET"] == endpoint[3]
    assert "AWS_SESSION_TOKEN" not in learnt
    for name in ("STABLE_DIFFUSION_API_URL", "STABLE_DIFFUSION_API_KEY", "AWS_ENDPOINT_URL"):
        assert learnt[name] == environment[name]


def test_without_a_local_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, str(tmp_path / "endpoint.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("start the local stack with: make up\n")
