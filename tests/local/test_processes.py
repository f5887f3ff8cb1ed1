import os
import sys
from pathlib import Path

import psutil
import pytest

from local.processes import ChildProcess, ProcessEndedError
from tests.waiting import wait_until

_IGNORES_SIGTERM_AND_HAS_A_CHILD = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def start(code: str, log: Path) -> ChildProcess:
    return ChildProcess([sys.executable, "-c", code], environment=os.environ, log=log)


def first_line(log: Path) -> str:
    return wait_until(lambda: log.read_text().partition("\n")[0], "the process writes a line")


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_stop_kills_a_process_that_ignores_sigterm_and_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.processes._TERMINATION_S", 0.2)
    process = start(_IGNORES_SIGTERM_AND_HAS_A_CHILD, tmp_path / "log")
    child = int(first_line(tmp_path / "log"))
    process.check()
    process.stop()
    with pytest.raises(ProcessEndedError):
        process.check()
    wait_until(lambda: has_ended(child), "the child has ended")


def test_check_raises_with_the_end_of_the_log_once_the_process_has_ended(tmp_path: Path) -> None:
    process = start("import sys; sys.exit('no such model')", tmp_path / "container.log")
    process._process.wait(60)
    with pytest.raises(ProcessEndedError, match=r"(?s)container ended with status 1.*no such model"):
        process.check()
