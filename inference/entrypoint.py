"""The image's entry point: started as root, as SageMaker requires, it runs the server as another user.

SageMaker documents that containers run as root, and not with which permissions it mounts the model. If the
other user could not read the model or open the GPU, the server runs as root, and a warning says so.
"""

import logging
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from contract.environment import ContainerEnvironment
from inference.observability.logs import start_logging

USER = "inference"
"""The Dockerfile creates it."""

_SERVER = (sys.executable, "-m", "inference")
_DEVICES = Path("/dev")
_GPU_DEVICES = ("nvidia[0-9]*", "nvidiactl", "nvidia-uvm")

_LOGGER = logging.getLogger(__name__)


def main() -> NoReturn:
    """Replaces this process by the server."""
    start_logging()
    environment = ContainerEnvironment.read(os.environ)
    run_as(USER, _SERVER, needs=[Path(environment.model_directory), *gpu_devices(_DEVICES)])


def gpu_devices(directory: Path) -> list[Path]:
    """The device files that CUDA opens; others, such as those in nvidia-caps, are for root only."""
    return [path for name in _GPU_DEVICES for path in sorted(directory.glob(name))]


def run_as(user: str, command: tuple[str, ...], *, needs: Iterable[Path]) -> NoReturn:
    """Replaces this process by a command of an unprivileged user, which has a directory for temporary files.

    The command runs as the present user if that is not root, or if the other user cannot read what it needs.

    Args:
        user: name of the user.
        command: the program and its arguments.
        needs: files, devices and directories that the command reads; those that do not exist are ignored.

    Raises:
        KeyError: there is no such user.
    """
    if os.geteuid() != 0:
        _execute(command)
    account = pwd.getpwnam(user)
    switch = (
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--init-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    )
    obstacle = _obstacle(switch, [str(path) for path in needs if path.exists()])
    if obstacle is not None:
        _LOGGER.warning("the server runs as root, because the user %s has no access: %s", user, obstacle)
        _execute(command)
    scratch = Path(tempfile.gettempdir(), user)
    scratch.mkdir(mode=0o700, exist_ok=True)
    os.chown(scratch, account.pw_uid, account.pw_gid)
    os.environ.update(TMPDIR=str(scratch), HOME=account.pw_dir, USER=user)
    _execute((*switch, *command))


def _obstacle(switch: Sequence[str], paths: Sequence[str]) -> str | None:
    """The first file in the paths that cannot be read after the switch, or the error of the switch."""
    find = (*switch, "find", "/dev/null", *paths, "!", "-readable", "-print", "-quit")
    found = subprocess.run(find, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or found.stderr.strip() or None


def _execute(command: tuple[str, ...]) -> NoReturn:
    os.execvp(command[0], command)  # noqa: S606 - without a shell, so that signals reach the server


if __name__ == "__main__":
    main()
