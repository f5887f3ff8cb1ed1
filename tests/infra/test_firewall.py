import json
import re
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from contract.images import MAX_DATA_URL_CHARACTERS
from infra.firewall import LONGER_BODY, MAX_BODY_BYTES
from tests.infra.conftest import SMALL, Templates, only, synthesize

INSPECTED_BYTES = 16 * 1024
"""WAF sees no more of the body of a request to API Gateway."""

SECRET = "secret of the distribution"  # noqa: S105
"""In place of the reference that CloudFormation replaces."""

MAX_REGEX_CHARACTERS = 512
"""WAF's limit."""

LAMBDA_BYTES = 6 * 1024 * 1024
"""Lambda's limit for the event of a synchronous invocation."""


@dataclass(frozen=True)
class Request:
    """The parts of a request that WAF sees."""

    method: str
    path: str
    body_bytes: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def with_body(cls, method: str, path: str, size: int) -> "Request":
        return cls(method, path, size, {"content-length": str(size)})


def web_acl(templates: Templates) -> Any:
    return only(templates.api, "AWS::WAFv2::WebACL")


def rules(templates: Templates) -> dict[str, Any]:
    """The rules by name, in the order in which WAF evaluates them."""
    return {each["Name"]: each for each in sorted(web_acl(templates)["Rules"], key=lambda r: r["Priority"])}


def matches(statement: Any, request: Request) -> bool:
    """Whether WAF finds the statement true."""
    match statement:
        case {"AndStatement": {"Statements": parts}}:
            return all(matches(part, request) for part in parts)
        case {"OrStatement": {"Statements": parts}}:
            return any(matches(part, request) for part in parts)
        case {"NotStatement": {"Statement": part}}:
            return not matches(part, request)
        case {"ByteMatchStatement": {"FieldToMatch": {"SingleHeader": {"Name": name}}}}:
            return request.headers.get(name) == SECRET
        case {
            "ByteMatchStatement": {"FieldToMatch": where, "PositionalConstraint": how, "SearchString": text}
        }:
            value = request.method if "Method" in where else request.path
            return value == text if how == "EXACTLY" else value.endswith(text)
        case {
            "RegexMatchStatement": {"FieldToMatch": {"SingleHeader": {"Name": name}}, "RegexString": regex}
        }:
            return name in request.headers and re.search(regex, request.headers[name]) is not None
        case {"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": regex}}:
            assert len(regex) <= MAX_REGEX_CHARACTERS
            return re.search(regex, request.path) is not None
        case {"SizeConstraintStatement": {"ComparisonOperator": "GT", "FieldToMatch": where, "Size": size}}:
            assert where == {"Body": {"OversizeHandling": "MATCH"}}
            assert size < INSPECTED_BYTES
            return request.body_bytes > min(size, INSPECTED_BYTES)
    raise AssertionError(statement)


def refusal(templates: Templates, rule: str) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of the rule's response."""
    response = rules(templates)[rule]["Action"]["Block"]["CustomResponse"]
    body = web_acl(templates)["CustomResponseBodies"][response["CustomResponseBodyKey"]]
    assert body["ContentType"] == "APPLICATION_JSON"
    headers = {each["Name"]: each["Value"] for each in response.get("ResponseHeaders", [])}
    return response["ResponseCode"], json.loads(body["Content"]), headers


def test_there_is_no_firewall_by_default(small: Templates) -> None:
    small.api.resource_count_is("AWS::WAFv2::WebACL", 0)


def test_requests_above_the_rate_limit_of_an_address_are_refused(large: Templates) -> None:
    limit = rules(large)["RequestsPerAddress"]
    statement = limit["Statement"]["RateBasedStatement"]
    assert (statement["AggregateKeyType"], statement["Limit"]) == ("IP", 500)
    status, problem, headers = refusal(large, "RequestsPerAddress")
    assert (status, problem["status"], problem["code"]) == (429, 429, "too_many_requests")
    assert problem["retryable"]
    assert headers == {"Retry-After": "60"}


def limited(templates: Templates, request: Request) -> dict[str, str]:
    """The rules that count the request, and the address that they count it for."""
    connection, header = "connection", "True-Client-IP"
    found = {}
    for name, rule in rules(templates).items():
        limit = rule["Statement"].get("RateBasedStatement")
        if limit and ("ScopeDownStatement" not in limit or matches(limit["ScopeDownStatement"], request)):
            assert limit["Limit"] == 500
            forwarded = limit.get("ForwardedIPConfig")
            assert forwarded in (None, {"HeaderName": header, "FallbackBehavior": "NO_MATCH"})
            assert limit["AggregateKeyType"] == ("FORWARDED_IP" if forwarded else "IP")
            found[name] = header if forwarded else connection
    return found


def test_visitors_of_the_page_are_limited_by_their_own_addresses_and_others_cannot_choose_theirs() -> None:
    templates = synthesize(SMALL | {"api": {"firewall_requests_per_5_minutes": 500}})
    claimed = {"true-client-ip": "198.51.100.1", "x-forwarded-for": "198.51.100.1"}
    by_distribution = Request("GET", "/v1/jobs", headers={"x-distribution-secret": SECRET, **claimed})
    assert limited(templates, by_distribution) == {"RequestsPerVisitor": "True-Client-IP"}
    for headers in ({}, claimed, {"x-distribution-secret": "guess", **claimed}):
        direct = Request("GET", "/v1/jobs", headers=headers)
        assert limited(templates, direct) == {"RequestsPerAddress": "connection"}
    for rule in ("RequestsPerVisitor", "RequestsPerAddress"):
        assert refusal(templates, rule)[0] == 429
    assert [each["Priority"] for each in web_acl(templates)["Rules"]] == [0, 1, 2, 3, 4]


def test_without_a_page_all_requests_are_counted_by_connection(large: Templates) -> None:
    assert limited(large, Request("GET", "/v1/jobs")) == {"RequestsPerAddress": "connection"}


@pytest.mark.parametrize(
    "path",
    [
        "/test/v1/jobs",
        "/v1/jobs",
        "/v1/images/edits",
        "/test/sdapi/v1/img2img",
        "/replicate/v1/models/any/demo/predictions",
        "/test/async_hander",
        "/upload_handler",
    ],
)
@pytest.mark.parametrize("size", [0, 8_193, 16_385, MAX_DATA_URL_CHARACTERS, MAX_BODY_BYTES])
def test_jobs_with_inline_images_pass(large: Templates, path: str, size: int) -> None:
    statement = rules(large)["BodySize"]["Statement"]
    assert not matches(statement, Request.with_body("POST", path, size))


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        (Request.with_body("POST", "/test/v1/jobs", MAX_BODY_BYTES + 1), True),
        (Request.with_body("POST", "/test/v1/jobs", 100_000_000), True),
        (Request.with_body("POST", "/test/v1/uploads", 8_192), False),
        (Request.with_body("POST", "/test/v1/uploads", 8_193), True),
        (Request.with_body("PUT", "/test/v1/jobs", 8_193), True),
        (Request.with_body("POST", "/test/v1/jobs/J/cancel", 8_193), True),
        (Request("POST", "/test/v1/uploads", body_bytes=INSPECTED_BYTES), True),
        (Request("GET", "/test/v1/jobs"), False),
    ],
)
def test_larger_bodies_are_refused_by_the_limit_of_their_route(
    large: Templates, request_: Request, refused: bool
) -> None:
    assert matches(rules(large)["BodySize"]["Statement"], request_) is refused
    status, problem, _ = refusal(large, "BodySize")
    assert (status, problem["status"], problem["code"]) == (413, 413, "payload_too_large")
    assert "5,999,999 bytes in POST /v1/jobs and the compatible APIs" in problem["detail"]


@given(st.integers(0, 10**12))
def test_the_header_of_a_longer_body_matches(size: int) -> None:
    assert (re.search(LONGER_BODY, str(size)) is not None) is (size > MAX_BODY_BYTES)
    assert (re.search(LONGER_BODY, f"00{size}") is not None) is (size > MAX_BODY_BYTES)


def test_the_limit_of_bodies_is_below_that_of_lambda_and_above_that_of_an_inline_image() -> None:
    assert MAX_DATA_URL_CHARACTERS < MAX_BODY_BYTES < LAMBDA_BYTES


def test_rules_that_refuse_valid_jobs_only_count(large: Templates) -> None:
    """AWS's own limit of 8 KB, and three rules for the text of web pages."""
    group = rules(large)["AWSManagedRulesCommonRuleSet"]
    overrides = group["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert {each["Name"] for each in overrides} == {
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
    }
    assert all(each["ActionToUse"] == {"Count": {}} for each in overrides)


def test_all_other_managed_rules_keep_their_own_actions(large: Templates) -> None:
    for name in ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"):
        assert rules(large)[name]["OverrideAction"] == {"None": {}}
    known = rules(large)["AWSManagedRulesKnownBadInputsRuleSet"]
    assert "RuleActionOverrides" not in known["Statement"]["ManagedRuleGroupStatement"]


def test_the_limits_of_our_own_come_before_the_managed_rules(large: Templates) -> None:
    assert list(rules(large)) == [
        "RequestsPerAddress",
        "BodySize",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    ]


def test_waf_accepts_the_web_acl(large: Templates) -> None:
    """The properties are those of the operation, with its limits of lengths and values."""
    acl = {**web_acl(large), "Name": "name"}
    shape = botocore.session.get_session().get_service_model("wafv2").shape_for("CreateWebACLRequest")
    report = ParamValidator().validate(acl, shape)
    assert not report.has_errors(), report.generate_report()
    for body in acl["CustomResponseBodies"].values():
        assert len(body["Content"]) <= 4096


def test_the_firewall_is_associated_with_the_deployed_stage(large: Templates) -> None:
    association = only(large.api, "AWS::WAFv2::WebACLAssociation")
    (stage,) = large.api.find_resources("AWS::ApiGateway::Stage")
    assert {"Ref": stage} in association["ResourceArn"]["Fn::Join"][1]
