"""AWS WAF web ACL for the API."""

import re
from collections.abc import Callable, Iterable, Mapping

from aws_cdk import aws_kms as kms
from aws_cdk.aws_wafv2 import CfnWebACL, CfnWebACLAssociation
from constructs import Construct

from contract.api_paths import IMAGE_PATHS, JOBS_PATH
from contract.problem import ErrorCode, Problem
from infra.viewer_address import ADDRESS_HEADER, SECRET_HEADER, DistributionSecret

MAX_BODY_BYTES = 5_999_999
"""Of a request with images. Lambda accepts 6 MiB, with the headers and the encoding of the body."""

LONGER_BODY = r"^0*([6-9]\d{6}|[1-9]\d{7,})$"
"""A Content-Length above `MAX_BODY_BYTES`."""

_MAX_SMALL_BODY_BYTES = 8 * 1024
"""Of all other requests: the limit of AWS's common rules, which is too low for an inline image."""

_UNCHANGED = [CfnWebACL.TextTransformationProperty(priority=0, type="NONE")]
_WITH_IMAGES = r"^(/[\w-]+)?({paths})$".format(
    paths="|".join(re.escape(path).replace(r"\*", ".+") for path in IMAGE_PATHS)
)
_RETRY_AFTER_S = "60"
"""Of the last five minutes' requests, those of the oldest minute do not count any more then."""

_TOO_MANY = "TooManyRequests"
_TOO_LARGE = "TooLarge"
_REFUSALS = {
    _TOO_MANY: Problem.of(
        ErrorCode.TOO_MANY_REQUESTS,
        "Too many requests have come from this address in five minutes; wait and try again.",
    ),
    _TOO_LARGE: Problem.of(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"The body may have {MAX_BODY_BYTES:,} bytes in POST {JOBS_PATH} and the compatible APIs, and "
        f"{_MAX_SMALL_BODY_BYTES:,} in other requests. Upload large images to S3 and pass their s3:// URIs.",
    ),
}
"""The answers of the rules of our own. Other rules have API Gateway's answer, of the type WAF_FILTERED."""

_RULES_FOR_TEXT_OF_WEB_PAGES = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
)
"""AWS's common rules that refuse valid jobs: inline images, prompts with markup or `../`, and addresses of
images and webhooks. The function validates each field, and none becomes part of a page or of a local path."""

_Rule = Callable[[int], CfnWebACL.RuleProperty]
"""A rule that gets its priority among the others."""


class Firewall(Construct):
    """A web ACL with limits of requests per address and of bodies, and two of AWS's managed rule groups.

    Attributes:
        distribution_secret: what the page's distribution sends; None without a page.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage_arn: str,
        requests_per_5_minutes: int,
        has_page: bool,
        key: kms.Key | None,
    ) -> None:
        """Creates the web ACL.

        Args:
            scope: the parent construct.
            construct_id: the id within the parent.
            stage_arn: the API Gateway stage that it is associated with.
            requests_per_5_minutes: the limit per IP address.
            has_page: whether requests also come from the page's distribution.
            key: the stage's KMS key; None if it has none.
        """
        super().__init__(scope, construct_id)
        self.distribution_secret = (
            DistributionSecret(self, "DistributionSecret", key=key) if has_page else None
        )
        rules = [
            *_request_limits(requests_per_5_minutes, self.distribution_secret),
            _rule("BodySize", _large_body(), refusal=_TOO_LARGE),
            _managed_rules("AWSManagedRulesCommonRuleSet", counted=_RULES_FOR_TEXT_OF_WEB_PAGES),
            _managed_rules("AWSManagedRulesKnownBadInputsRuleSet"),
        ]
        acl = CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("WebAcl"),
            custom_response_bodies={
                name: CfnWebACL.CustomResponseBodyProperty(
                    content_type="APPLICATION_JSON",  # WAF has no other type that fits
                    content=problem.model_dump_json(),
                )
                for name, problem in _REFUSALS.items()
            },
            rules=[rule(priority) for priority, rule in enumerate(rules)],
        )
        CfnWebACLAssociation(self, "Association", resource_arn=stage_arn, web_acl_arn=acl.attr_arn)


def _request_limits(limit: int, distribution_secret: DistributionSecret | None) -> list[_Rule]:
    """The limit per IP address: of the connection, or of the visitor behind the page's distribution."""
    address = CfnWebACL.RateBasedStatementProperty(aggregate_key_type="IP", limit=limit)
    if distribution_secret is None:
        return [_requests_above("RequestsPerAddress", address)]
    by_distribution = CfnWebACL.StatementProperty(
        byte_match_statement=CfnWebACL.ByteMatchStatementProperty(
            field_to_match=CfnWebACL.FieldToMatchProperty(single_header={"Name": SECRET_HEADER.lower()}),
            positional_constraint="EXACTLY",
            search_string=distribution_secret.value,
            text_transformations=_UNCHANGED,
        )
    )
    visitor = CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="FORWARDED_IP",
        limit=limit,
        forwarded_ip_config=CfnWebACL.ForwardedIPConfigurationProperty(
            header_name=ADDRESS_HEADER, fallback_behavior="NO_MATCH"
        ),
        scope_down_statement=by_distribution,
    )
    direct = CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP",
        limit=limit,
        scope_down_statement=CfnWebACL.StatementProperty(
            not_statement=CfnWebACL.NotStatementProperty(statement=by_distribution)
        ),
    )
    return [_requests_above("RequestsPerAddress", direct), _requests_above("RequestsPerVisitor", visitor)]


def _requests_above(name: str, limit: CfnWebACL.RateBasedStatementProperty) -> _Rule:
    return _rule(
        name,
        CfnWebACL.StatementProperty(rate_based_statement=limit),
        refusal=_TOO_MANY,
        headers={"Retry-After": _RETRY_AFTER_S},
    )


def _large_body() -> CfnWebACL.StatementProperty:
    """A body above the limit of its route.

    WAF measures no more than the first 16 KiB of a body; the larger limit is therefore one of the header. A
    body without it reaches API Gateway, which has a limit of its own.
    """
    more_than_small = CfnWebACL.StatementProperty(
        size_constraint_statement=CfnWebACL.SizeConstraintStatementProperty(
            comparison_operator="GT",
            size=_MAX_SMALL_BODY_BYTES,
            field_to_match=CfnWebACL.FieldToMatchProperty(
                body=CfnWebACL.BodyProperty(oversize_handling="MATCH")
            ),
            text_transformations=_UNCHANGED,
        )
    )
    more_than_a_job = CfnWebACL.StatementProperty(
        regex_match_statement=CfnWebACL.RegexMatchStatementProperty(
            regex_string=LONGER_BODY,
            field_to_match=CfnWebACL.FieldToMatchProperty(single_header={"Name": "content-length"}),
            text_transformations=_UNCHANGED,
        )
    )
    small_only = CfnWebACL.StatementProperty(
        not_statement=CfnWebACL.NotStatementProperty(statement=_may_contain_images())
    )
    return CfnWebACL.StatementProperty(
        or_statement=CfnWebACL.OrStatementProperty(
            statements=[more_than_a_job, _all(more_than_small, small_only)]
        )
    )


def _may_contain_images() -> CfnWebACL.StatementProperty:
    """POST to one of the paths, which begin with the stage's name unless the API has a domain of its own."""
    is_post = CfnWebACL.StatementProperty(
        byte_match_statement=CfnWebACL.ByteMatchStatementProperty(
            field_to_match=CfnWebACL.FieldToMatchProperty(method={}),
            positional_constraint="EXACTLY",
            search_string="POST",
            text_transformations=_UNCHANGED,
        )
    )
    has_path = CfnWebACL.StatementProperty(
        regex_match_statement=CfnWebACL.RegexMatchStatementProperty(
            regex_string=_WITH_IMAGES,
            field_to_match=CfnWebACL.FieldToMatchProperty(uri_path={}),
            text_transformations=_UNCHANGED,
        )
    )
    return _all(is_post, has_path)


def _all(*statements: CfnWebACL.StatementProperty) -> CfnWebACL.StatementProperty:
    return CfnWebACL.StatementProperty(
        and_statement=CfnWebACL.AndStatementProperty(statements=list(statements))
    )


def _rule(
    name: str,
    statement: CfnWebACL.StatementProperty,
    *,
    refusal: str,
    headers: Mapping[str, str] | None = None,
) -> _Rule:
    """A rule that answers with the problem document of the refusal."""
    response = CfnWebACL.CustomResponseProperty(
        response_code=_REFUSALS[refusal].status,
        custom_response_body_key=refusal,
        response_headers=[
            CfnWebACL.CustomHTTPHeaderProperty(name=header, value=value)
            for header, value in (headers or {}).items()
        ]
        or None,
    )
    return lambda priority: CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        action=CfnWebACL.RuleActionProperty(block=CfnWebACL.BlockActionProperty(custom_response=response)),
        statement=statement,
        visibility_config=_visibility(name),
    )


def _managed_rules(name: str, *, counted: Iterable[str] = ()) -> _Rule:
    """A rule group of AWS, of whose rules those in `counted` refuse nothing."""
    overrides = [
        CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=CfnWebACL.RuleActionProperty(count={}))
        for rule in counted
    ]
    return lambda priority: CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=CfnWebACL.OverrideActionProperty(none={}),
        statement=CfnWebACL.StatementProperty(
            managed_rule_group_statement=CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=name, rule_action_overrides=overrides or None
            )
        ),
        visibility_config=_visibility(name),
    )


def _visibility(name: str) -> CfnWebACL.VisibilityConfigProperty:
    return CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
