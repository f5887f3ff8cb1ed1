from typing import Any

import pytest

from operations.doctor.certificate import Certificate
from operations.doctor.check import CheckResult, Status, run_check
from tests.operations.doctor.conftest import StubbedAws

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/0a"


def check(aws: StubbedAws, domain: str = "page.example.com") -> Certificate:
    return Certificate(aws, "web.domain", domain, ARN)


def described(aws: StubbedAws, certificate: dict[str, Any]) -> None:
    response = {"Certificate": certificate}
    aws.stub("acm").add_response("describe_certificate", response, {"CertificateArn": ARN})


def result_for(aws: StubbedAws, *names: str, status: str = "ISSUED") -> CheckResult:
    described(aws, {"Status": status, "DomainName": names[0], "SubjectAlternativeNames": list(names)})
    return check(aws).run()


@pytest.mark.parametrize(
    "names",
    [("page.example.com",), ("*.example.com",), ("example.com", "page.example.com")],
)
def test_an_issued_certificate_for_the_name_passes(aws: StubbedAws, names: tuple[str, ...]) -> None:
    result = result_for(aws, *names)
    assert (result.status, result.message) == (Status.PASS, "for page.example.com, in us-east-1")
    assert aws.regions["acm"] == "us-east-1"


@pytest.mark.parametrize("names", [("example.com",), ("*.page.example.com",), ("*.other.com", "other.com")])
def test_a_certificate_for_other_names_fails(aws: StubbedAws, names: tuple[str, ...]) -> None:
    result = result_for(aws, *names)
    assert result.status is Status.FAIL
    assert f"is for {', '.join(sorted(names))}, not for page.example.com" in result.message
    assert "request one for page.example.com, and name it in web.domain.certificate_arn" in result.remedy


@pytest.mark.parametrize("status", ["PENDING_VALIDATION", "EXPIRED"])
def test_a_certificate_that_is_not_issued_fails(aws: StubbedAws, status: str) -> None:
    result = result_for(aws, "page.example.com", status=status)
    assert result.status is Status.FAIL
    assert f"is {status}, not ISSUED" in result.message


def test_a_certificate_that_does_not_exist_fails_with_its_region(aws: StubbedAws) -> None:
    aws.stub("acm").add_client_error("describe_certificate", "ResourceNotFoundException", "no certificate")
    result = check(aws).run()
    assert result.status is Status.FAIL
    assert f"us-east-1 has no certificate {ARN}" in result.message


def test_without_permission_the_certificate_is_skipped(aws: StubbedAws) -> None:
    aws.deny("acm", "describe_certificate")
    assert run_check(check(aws)).status is Status.SKIPPED
