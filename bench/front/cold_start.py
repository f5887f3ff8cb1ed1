"""Cold starts of Lambda functions: the import of a handler in a new process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """
import importlib, json, sys, time
started_at = time.perf_counter()
importlib.import_module(sys.argv[1])
seconds = time.perf_counter() - started_at
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "mib": int(peak.split()[1]) / 1024}))
"""


@dataclass(frozen=True)
class ColdStart:
    """The cost of an import.

    Attributes:
        seconds: of the import, which creates the AWS clients; the start of the interpreter is not included.
        mib: the process's peak resident set size in MiB.
    """

    seconds: float
    mib: float


def measure(module: str, environment: Mapping[str, str], directory: Path) -> ColdStart:
    """Imports a module in a new process.

    Args:
        module: its name.
        environment: of the function.
        directory: precedes the installed packages on the import path.
    """
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-W", "ignore", "-c", _PROGRAM, module],
        env={**environment, "PYTHONPATH": os.fspath(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    return ColdStart(**json.loads(done.stdout))
