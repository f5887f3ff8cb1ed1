"""The resources that a container uses: memory, threads, file descriptors and temporary disk space."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import httpx
import psutil

from local.processes import LOOPBACK

_SAMPLE_S = 0.05
_TIMEOUT_S = 300
_QUIET_S = 5.0
_WAIT_S = 120
_NOT_TEMPORARY = {"model", "container.log", "adapters"}
"""Names in the container's temporary directory: the model, the log, and the cache of adapters, whose size is
limited."""


@dataclass(frozen=True)
class Usage:
    """The resources of a container and its child processes.

    Attributes:
        memory_bytes: unique set size: pages that the processes share are not counted.
        threads: of all processes.
        descriptors: open file descriptors of all processes.
        disk_bytes: files in the temporary directory, without the model, the log and the adapters' cache.
        processes: the container and its children.
    """

    memory_bytes: int
    threads: int
    descriptors: int
    disk_bytes: int
    processes: int

    def most(self, other: Self) -> Self:
        """The larger value of each field."""
        return type(self)(
            *(max(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        )


class Container:
    """A running container.

    Attributes:
        process: its server.
        environment: its environment variables.
        directory: its temporary directory.
        url: of its server.
    """

    def __init__(self, process: psutil.Process) -> None:
        self.process = process
        self.environment = process.environ()
        self.directory = Path(self.environment["TMPDIR"])
        self.url = f"http://{LOOPBACK}:{self.environment['SAGEMAKER_BIND_TO_PORT']}"

    def is_healthy(self) -> bool:
        """Whether it answers GET /ping."""
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/ping", timeout=_TIMEOUT_S).is_success
        return False

    def children(self) -> list[psutil.Process]:
        """The child processes, their children included."""
        with suppress(psutil.NoSuchProcess):
            return self.process.children(recursive=True)
        return []

    def usage(self) -> Usage:
        """The present usage."""
        memory = threads = descriptors = processes = 0
        for process in (self.process, *self.children()):
            with suppress(psutil.NoSuchProcess):  # a child that has ended
                own = process.memory_full_info().uss, process.num_threads(), process.num_fds()
                memory, threads, descriptors = memory + own[0], threads + own[1], descriptors + own[2]
                processes += 1
        return Usage(memory, threads, descriptors, self.disk_bytes(), processes)

    def disk_bytes(self) -> int:
        """See `Usage.disk_bytes`."""
        total = 0
        for parent, directories, files in os.walk(self.directory):
            if parent == str(self.directory):
                directories[:] = set(directories) - _NOT_TEMPORARY
                files = list(set(files) - _NOT_TEMPORARY)
            for name in files:
                with suppress(FileNotFoundError):
                    total += Path(parent, name).lstat().st_size
        return total


def find_container(command: Sequence[str], variable: str, value: str) -> Container:
    """The running container that was started by this process.

    Args:
        command: its arguments of Python.
        variable: one of its environment variables.
        value: of the variable.

    Raises:
        LookupError: there is none.
    """
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a process that has ended
            if process.cmdline()[1:] == [*command] and process.environ().get(variable) == value:
                return Container(process)
    raise LookupError(f"no container has {variable}={value}")


class Watch:
    """Samples a container's usage and its answers to /ping on a thread of its own.

    Attributes:
        idle: the usage before the attack.
        most: the highest usage during the attack.
        after: the usage after the attack.
        ping_s: the longest time to answer GET /ping.
    """

    def __init__(self, container: Container) -> None:
        self.idle = self.most = self.after = container.usage()
        self.ping_s = 0.0
        self._container = container
        self._stopped = threading.Event()

    def run(self) -> None:
        """Samples until `stop` is called."""
        with httpx.Client(timeout=_TIMEOUT_S) as client:
            while not self._stopped.wait(_SAMPLE_S):
                started_at = time.monotonic()
                client.get(f"{self._container.url}/ping").raise_for_status()
                self.ping_s = max(self.ping_s, time.monotonic() - started_at)
                self.most = self.most.most(self._container.usage())

    def stop(self) -> None:
        """Stops sampling."""
        self._stopped.set()

    def wait_until_quiet(self) -> None:
        """Samples `after` when no more files and processes are there than before, within 5 s."""
        deadline = time.monotonic() + _QUIET_S
        while True:
            self.after = self._container.usage()
            is_quiet = (
                self.after.disk_bytes <= self.idle.disk_bytes
                and self.after.processes <= self.idle.processes
                and self.after.descriptors <= self.idle.descriptors
            )
            if is_quiet or time.monotonic() > deadline:
                return
            time.sleep(_SAMPLE_S)


@contextmanager
def watched(container: Container) -> Iterator[Watch]:
    """Watches the container during the block, and until it is idle again after it."""
    watch = Watch(container)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
    watch.wait_until_quiet()


def wait_until(condition: Callable[[], object], *, check: Callable[[], None] = lambda: None) -> None:
    """Waits until the condition holds.

    Args:
        condition: called repeatedly.
        check: called with it; its errors end the wait.

    Raises:
        TimeoutError: it does not hold within two minutes.
    """
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        check()
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_SAMPLE_S / 5)
