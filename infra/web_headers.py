"""The headers of the page's files at CloudFront."""

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from contract.page import HSTS_SECONDS, OTHER_HEADERS


def headers_policy(
    scope: Construct, construct_id: str, *, name: str, policy: str
) -> cloudfront.ResponseHeadersPolicy:
    """The headers of `contract.page.page_headers`, some of which CloudFront accepts as settings only.

    Args:
        scope: the parent construct.
        construct_id: the id within the parent.
        name: unique in the account.
        policy: the Content-Security-Policy.
    """
    return cloudfront.ResponseHeadersPolicy(
        scope,
        construct_id,
        response_headers_policy_name=name,
        security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
            content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                content_security_policy=policy, override=True
            ),
            content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
            referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
            ),
            strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                access_control_max_age=cdk.Duration.seconds(HSTS_SECONDS), override=True
            ),
        ),
        custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
            custom_headers=[
                cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                for header, value in OTHER_HEADERS.items()
            ]
        ),
    )
