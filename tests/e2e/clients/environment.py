"""The environment of the clients of other systems: their packages are not those of this project."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.waiting import LIMIT_S

_SCRIPTS = Path(__file__).parent
_ENVIRONMENT = ROOT / ".venv-clients"
_PROGRAMS = {".py": _ENVIRONMENT / "bin" / "python", ".mjs": Path("node")}


def report_of(script: str, *arguments: str) -> Any:
    """Runs a script of this directory with the clients, and returns the JSON that it prints."""
    assert (_ENVIRONMENT / ".installed").exists(), "there is no .venv-clients; `make test` creates it"
    program = _PROGRAMS[Path(script).suffix]
    done = subprocess.run(
        [program, _SCRIPTS / script, *arguments],
        env=os.environ | {"CLIENTS": str(_ENVIRONMENT / "node")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
