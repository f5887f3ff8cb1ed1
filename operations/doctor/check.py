"""What a check is, and what becomes of one that AWS does not answer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "UnauthorizedOperation",
}
_BUSY = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}


class Status(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        found: in words.
        remedy: what to do about it; with a warning or a failure only.
    """

    status: Status
    found: str
    remedy: str = ""


class SkippedError(RuntimeError):
    """A check cannot look at what it should; the message says why."""


class Check(Protocol):
    """One question about what a deployment needs."""

    @property
    def name(self) -> str:
        """What is looked at."""

    def run(self) -> Finding:
        """Looks.

        Raises:
            BotoCoreError: AWS could not be asked.
            ClientError: AWS refused to answer.
            SkippedError: see there.
        """


def passed(found: str) -> Finding:
    """All is well."""
    return Finding(Status.PASS, found)


def doubtful(found: str, remedy: str) -> Finding:
    """A deployment would succeed, and something would not work until somebody does what `remedy` says."""
    return Finding(Status.WARN, found, remedy)


def failed(found: str, remedy: str) -> Finding:
    """A deployment would not succeed, until somebody does what `remedy` says."""
    return Finding(Status.FAIL, found, remedy)


def skipped(reason: str) -> Finding:
    """It could not be looked at."""
    return Finding(Status.SKIPPED, reason)


def finding_of(check: Check) -> Finding:
    """What the check found; what AWS would not tell is put into words."""
    try:
        return check.run()
    except SkippedError as error:
        return skipped(str(error))
    except ClientError as error:
        return _refused(error)
    except BotoCoreError as error:
        return _unasked(error)


def error_code(error: ClientError) -> str:
    """The error's name, such as AccessDenied."""
    return str(error.response.get("Error", {}).get("Code", "an unnamed error"))


def _refused(error: ClientError) -> Finding:
    code, operation = error_code(error), error.operation_name
    if code in _DENIED:
        return skipped(f"you may not call {operation} ({code}), so this was not looked at")
    if code in _BUSY:
        return skipped(f"AWS was too busy for {operation} ({code}): try again in a minute")
    message = error.response.get("Error", {}).get("Message", "")
    return failed(
        f"{operation} was refused: {code}: {message}",
        "put right what the message names, then run the doctor again",
    )


def _unasked(error: BotoCoreError) -> Finding:
    if isinstance(error, (HTTPClientError, UnreachableError)):
        return skipped(f"AWS cannot be reached: {error}")
    return failed(str(error), "correct the AWS configuration (aws configure list shows it)")
