from dataclasses import dataclass

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProfileNotFound,
)

from operations.doctor.check import Finding, SkippedError, Status, finding_of, passed


@dataclass(frozen=True)
class Raising:
    error: Exception
    name: str = "raising"

    def run(self) -> Finding:
        raise self.error


@dataclass(frozen=True)
class Passing:
    name: str = "passing"

    def run(self) -> Finding:
        return passed("well")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so it is"}}, "GetThing")


def test_what_a_check_finds_is_kept() -> None:
    assert finding_of(Passing()) == Finding(Status.PASS, "well")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_what_one_may_not_look_at_is_skipped(code: str) -> None:
    finding = finding_of(Raising(refusal(code)))
    assert finding == Finding(
        Status.SKIPPED, f"you may not call GetThing ({code}), so this was not looked at"
    )


def test_a_busy_service_is_skipped() -> None:
    finding = finding_of(Raising(refusal("ThrottlingException")))
    assert (finding.status, "try again in a minute" in finding.found) == (Status.SKIPPED, True)


def test_another_refusal_fails_with_the_services_words() -> None:
    finding = finding_of(Raising(refusal("ValidationException")))
    assert finding.status is Status.FAIL
    assert finding.found == "GetThing was refused: ValidationException: so it is"
    assert finding.remedy


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://sts.example"),
        ConnectTimeoutError(endpoint_url="https://sts.example"),
    ],
    ids=["refused", "timeout"],
)
def test_without_a_network_it_is_skipped(error: BotoCoreError) -> None:
    finding = finding_of(Raising(error))
    assert (finding.status, finding.found.startswith("AWS cannot be reached: ")) == (Status.SKIPPED, True)


def test_a_wrong_local_configuration_fails() -> None:
    finding = finding_of(Raising(ProfileNotFound(profile="nobody")))
    assert (finding.status, "nobody" in finding.found) == (Status.FAIL, True)


def test_a_check_may_say_why_it_did_not_look() -> None:
    assert finding_of(Raising(SkippedError("too early"))) == Finding(Status.SKIPPED, "too early")


def test_a_mistake_in_the_doctor_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        finding_of(Raising(ZeroDivisionError()))
