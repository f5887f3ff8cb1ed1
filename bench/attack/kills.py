"""Kills of a container and of its child processes."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from bench.attack.usage import Container, find_container, wait_until
from local.processes import ChildProcess

_INTERVAL_S = 0.01
_CHILDREN_END_S = 30


def decoding_processes(container: Container) -> list[psutil.Process]:
    """The child processes that decode images, which the fork server has forked."""
    return [each for server in fork_servers(container) for each in _children(server)]


def fork_servers(container: Container) -> list[psutil.Process]:
    """The fork server, if it runs."""
    return [each for each in _children(container.process) if "forkserver" in " ".join(_command(each))]


@contextmanager
def killing(select: Callable[[Container], list[psutil.Process]], container: Container) -> Iterator[None]:
    """Kills the processes that `select` finds, again and again during the block."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(_INTERVAL_S):
            for process in select(container):
                process.kill()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def kill(container: Container) -> int:
    """Kills the container, and returns the number of its processes that have not ended after 30 s."""
    processes = [container.process, *container.children()]
    container.process.kill()
    _, alive = psutil.wait_procs(processes, _CHILDREN_END_S)
    return len(alive)


@contextmanager
def started(container: Container, *command: str, **environment: str) -> Iterator[Container]:
    """A process with the environment of a container, and its log; healthy.

    Args:
        container: may have ended.
        command: arguments of Python.
        environment: variables that differ.
    """
    variables = {**container.environment, **environment}
    process = ChildProcess(
        [sys.executable, *command], environment=variables, log=container.directory / "container.log"
    )
    try:
        other = find_container(command, "SAGEMAKER_BIND_TO_PORT", variables["SAGEMAKER_BIND_TO_PORT"])
        wait_until(other.is_healthy, check=process.check)
        yield other
    finally:
        process.stop()


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children()
    return []


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []
