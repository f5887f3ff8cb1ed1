import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from local.processes import ChildProcess, ProcessEndedError

_FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def start(code: str, log: Path) -> ChildProcess:
    return ChildProcess([sys.executable, "-c", code], environment=os.environ, log=log)


def wait_for_text(log: Path) -> str:
    for _ in range(500):
        if log.exists() and log.read_text().endswith("\n"):
            return log.read_text()
        time.sleep(0.02)
    pytest.fail("the process never said a word")


def test_stopping_ends_children_and_the_deaf_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.processes._GRACE_S", 0.2)
    process = start(_FAMILY, tmp_path / "log")
    grandchild = int(wait_for_text(tmp_path / "log"))
    process.check()
    process.stop()
    with pytest.raises(ProcessEndedError):
        process.check()
    for _ in range(200):
        if not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.02)
    pytest.fail("the grandchild lives on")


def test_a_process_that_has_ended_tells_why(tmp_path: Path) -> None:
    process = start("import sys; sys.exit('no such model')", tmp_path / "container.log")
    wait_for_text(tmp_path / "container.log")
    process._process.wait(10)
    with pytest.raises(ProcessEndedError, match=r"(?s)container ended with status 1.*no such model"):
        process.check()
