from dataclasses import dataclass

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProfileNotFound,
)

from operations.doctor.check import CheckResult, SkippedError, Status, passed, run_check


@dataclass(frozen=True)
class Raising:
    error: Exception
    name: str = "raising"

    def run(self) -> CheckResult:
        raise self.error


@dataclass(frozen=True)
class Passing:
    name: str = "passing"

    def run(self) -> CheckResult:
        return passed("ok")


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "invalid"}}, "GetThing")


def test_the_result_of_a_check_is_returned() -> None:
    assert run_check(Passing()) == CheckResult(Status.PASS, "ok")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_missing_permission_skips_the_check(code: str) -> None:
    result = run_check(Raising(client_error(code)))
    assert result == CheckResult(
        Status.SKIPPED, f"not checked, because you have no permission for GetThing ({code})"
    )


def test_throttling_skips_the_check() -> None:
    result = run_check(Raising(client_error("ThrottlingException")))
    assert (result.status, "try again in a minute" in result.message) == (Status.SKIPPED, True)


def test_another_error_of_aws_fails_the_check_with_its_message() -> None:
    result = run_check(Raising(client_error("ValidationException")))
    assert result.status is Status.FAIL
    assert result.message == "GetThing returned ValidationException: invalid"
    assert result.remedy


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://sts.example"),
        ConnectTimeoutError(endpoint_url="https://sts.example"),
    ],
    ids=["refused", "timeout"],
)
def test_an_unreachable_network_skips_the_check(error: BotoCoreError) -> None:
    result = run_check(Raising(error))
    assert (result.status, result.message.startswith("AWS cannot be reached: ")) == (Status.SKIPPED, True)


def test_a_wrong_aws_configuration_fails_the_check() -> None:
    result = run_check(Raising(ProfileNotFound(profile="missing")))
    assert (result.status, "missing" in result.message) == (Status.FAIL, True)


def test_a_check_can_skip_itself_with_a_reason() -> None:
    assert run_check(Raising(SkippedError("too early"))) == CheckResult(Status.SKIPPED, "too early")


def test_other_exceptions_are_not_caught() -> None:
    with pytest.raises(ZeroDivisionError):
        run_check(Raising(ZeroDivisionError()))
