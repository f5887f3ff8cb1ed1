"""Programs on this machine, asked for a line or two."""

import shutil
import subprocess


class CommandError(RuntimeError):
    """A program is not there, failed, or took too long; the message says which."""


def output_of(program: str, *arguments: str, timeout_s: float = 30) -> str:
    """What the program prints.

    Raises:
        CommandError: see there.
    """
    path = shutil.which(program)
    if path is None:
        raise CommandError(f"{program} is not installed or not on the PATH")
    try:
        done = subprocess.run(  # noqa: S603 - programs that this package names
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{program} did not answer within {timeout_s:g} s") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise CommandError(f"{program} failed: {last[0] if last else f'status {done.returncode}'}")
    return done.stdout.strip()
