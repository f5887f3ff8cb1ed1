"""Running programs of this machine."""

import shutil
import subprocess


class CommandError(RuntimeError):
    """A program is missing, failed or timed out; the message gives the reason."""


def output_of(program: str, *arguments: str, timeout_s: float = 30) -> str:
    """Runs a program and returns its standard output.

    Raises:
        CommandError: the program is missing, failed or timed out.
    """
    path = shutil.which(program)
    if path is None:
        raise CommandError(f"{program} is not installed or not on the PATH")
    try:
        done = subprocess.run(  # noqa: S603 - the callers are in this package
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{program} did not finish within {timeout_s:g} s") from error
    if done.returncode != 0:
        last_line = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise CommandError(f"{program} failed: {last_line[0] if last_line else f'status {done.returncode}'}")
    return done.stdout.strip()
