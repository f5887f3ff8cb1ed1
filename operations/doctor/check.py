"""The interface and the results of checks, and the handling of AWS errors."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

_ACCESS_DENIED_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "UnauthorizedOperation",
}
_THROTTLING_CODES = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
}


class Status(StrEnum):
    """The outcome of a check."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Attributes:
        message: what the check found.
        remedy: what to do; empty unless the status is WARN or FAIL.
    """

    status: Status
    message: str
    remedy: str = ""


class SkippedError(RuntimeError):
    """A check cannot run; the message gives the reason."""


class Check(Protocol):
    """A check of one requirement of a deployment."""

    @property
    def name(self) -> str:
        """The name of the requirement."""

    def run(self) -> CheckResult:
        """Runs the check.

        Raises:
            BotoCoreError: AWS cannot be reached, or the AWS configuration is wrong.
            ClientError: AWS returned an error.
            SkippedError: the check cannot run.
        """


def passed(message: str) -> CheckResult:
    """The requirement is met."""
    return CheckResult(Status.PASS, message)


def warning(message: str, remedy: str) -> CheckResult:
    """A deployment succeeds, but a feature does not work before the remedy is applied."""
    return CheckResult(Status.WARN, message, remedy)


def failed(message: str, remedy: str) -> CheckResult:
    """A deployment does not succeed before the remedy is applied."""
    return CheckResult(Status.FAIL, message, remedy)


def skipped(reason: str) -> CheckResult:
    """The requirement could not be checked."""
    return CheckResult(Status.SKIPPED, reason)


def run_check(check: Check) -> CheckResult:
    """Runs a check and converts AWS errors to results.

    Missing permissions, throttling and an unreachable network skip the check; other errors fail it.
    """
    try:
        return check.run()
    except SkippedError as error:
        return skipped(str(error))
    except ClientError as error:
        return _result_of_client_error(error)
    except BotoCoreError as error:
        return _result_of_botocore_error(error)


def error_code(error: ClientError) -> str:
    """The error's code, such as AccessDenied."""
    return str(error.response.get("Error", {}).get("Code", "an error without a code"))


def _result_of_client_error(error: ClientError) -> CheckResult:
    code, operation = error_code(error), error.operation_name
    if code in _ACCESS_DENIED_CODES:
        return skipped(f"not checked, because you have no permission for {operation} ({code})")
    if code in _THROTTLING_CODES:
        return skipped(f"not checked, because AWS throttled {operation} ({code}): try again in a minute")
    message = error.response.get("Error", {}).get("Message", "")
    return failed(
        f"{operation} returned {code}: {message}",
        "correct what the message names, then run the doctor again",
    )


def _result_of_botocore_error(error: BotoCoreError) -> CheckResult:
    if isinstance(error, (HTTPClientError, UnreachableError)):
        return skipped(f"AWS cannot be reached: {error}")
    return failed(str(error), "correct the AWS configuration (`aws configure list` shows it)")
