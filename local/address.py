"""The address of a running local stack, and its file `endpoint.json`, which scripts read."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_ADDRESS_FILE = "endpoint.json"
_LOCK_FILE = "lock"


class AlreadyRunningError(RuntimeError):
    """Another process runs a local stack in the same directory."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """The URLs, the API key and the bucket of a running local stack.

    Attributes:
        api_url: base URL of the API, to which `/v1/...` is appended.
        api_key: for the header `x-api-key`.
        data_bucket: input images are uploaded under its prefix `inputs/`.
        aws_endpoint_url: of the emulated AWS services, for the AWS CLI and boto3.
    """

    api_url: str
    api_key: str
    data_bucket: str
    aws_endpoint_url: str


def read_address(directory: Path) -> Address | None:
    """The address in a stack's directory; None if there is no file. Its process may have been killed."""
    path = directory / _ADDRESS_FILE
    return Address(**json.loads(path.read_text())) if path.exists() else None


@contextmanager
def published_address(directory: Path, address: Address) -> Iterator[None]:
    """Writes the address file, and deletes it at the end."""
    path = directory / _ADDRESS_FILE
    path.write_text(json.dumps(asdict(address), indent=2) + "\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Locks a stack's directory for this process and deletes the address file of a process that was killed.

    The operating system releases the lock when the process ends, however it ends.

    Raises:
        AlreadyRunningError: another process holds the lock.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(_already_running(directory)) from error
        (directory / _ADDRESS_FILE).unlink(missing_ok=True)
        yield


def _already_running(directory: Path) -> str:
    address = read_address(directory)
    if address is None:
        return f"a local stack with the directory {directory} is starting or stopping; try again in a minute"
    return f"a local stack is already running at {address.api_url}; use it, or stop it first (Ctrl-C)"
