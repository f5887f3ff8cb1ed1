"""Child processes, each in its own process group, that are stopped together with their descendants."""

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
_TERMINATION_S = 5.0
_LOG_TAIL_LINES = 15


class ProcessEndedError(RuntimeError):
    """A process that should be running has ended."""


class ChildProcess:
    """A program in its own process group, with its output in a log file."""

    def __init__(self, argv: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                argv,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Checks that the process is running.

        Raises:
            ProcessEndedError: it has ended; the message contains the last lines of its log.
        """
        status = self._process.poll()
        if status is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
            raise ProcessEndedError(
                f"{self.log.stem} ended with status {status}; {self.log} ends with:\n{tail}"
            )

    def wait(self) -> None:
        """Waits until the process has ended."""
        self._process.wait()

    def kill(self) -> None:
        """Kills the process group at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Terminates the process group, and kills it if it does not end within 5 s."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(_TERMINATION_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def free_port() -> int:
    """An unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
