"""The distribution in front of the page and the API, and its names and headers."""

from typing import Any

import pytest

from contract.page import page_headers
from tests.infra.conftest import SMALL, Templates, only, synthesize, text

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"
DOMAIN = {"name": "page.example.com", "certificate_arn": CERTIFICATE, "hosted_zone_id": "Z0123456789ABC"}


@pytest.fixture(scope="module")
def named() -> Templates:
    return synthesize(SMALL | {"web": {"domain": DOMAIN}, "output_prefixes": ["s3://team-results/images/"]})


def distribution(templates: Templates) -> Any:
    return only(templates.by_stack["Web"], "AWS::CloudFront::Distribution")["DistributionConfig"]


def behavior(templates: Templates, path: str) -> Any:
    (found,) = (each for each in distribution(templates)["CacheBehaviors"] if each["PathPattern"] == path)
    return found


def origin_of(templates: Templates, used: Any) -> Any:
    (found,) = (each for each in distribution(templates)["Origins"] if each["Id"] == used["TargetOriginId"])
    return found


def test_only_the_distribution_reads_the_bucket(small: Templates) -> None:
    web = small.by_stack["Web"]
    (bucket,) = web.find_resources("AWS::S3::Bucket")
    (access,) = web.find_resources("AWS::CloudFront::OriginAccessControl")
    used = distribution(small)["DefaultCacheBehavior"]
    origin = origin_of(small, used)
    assert origin["DomainName"] == {"Fn::GetAtt": [bucket, "RegionalDomainName"]}
    assert origin["OriginAccessControlId"] == {"Fn::GetAtt": [access, "Id"]}
    assert behavior(small, "/assets/*")["TargetOriginId"] == used["TargetOriginId"]
    properties = only(web, "AWS::S3::Bucket")
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    statements = only(web, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    (reads,) = (each for each in statements if each["Principal"] == {"Service": "cloudfront.amazonaws.com"})
    assert reads["Action"] == ["s3:GetObject", "s3:ListBucket"]
    (created,) = web.find_resources("AWS::CloudFront::Distribution")
    assert text({"Ref": created}) in text(reads["Condition"]["StringEquals"]["AWS:SourceArn"])


def test_the_api_is_at_v1_without_a_cache_and_sees_everything_but_the_host(small: Templates) -> None:
    api = behavior(small, "/v1/*")
    assert set(api["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
    assert api["ViewerProtocolPolicy"] == "https-only"
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # Managed-CachingDisabled
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    origin = origin_of(small, api)
    assert origin["OriginPath"] == "/test"
    assert "ApiRestApi" in text(origin["DomainName"])
    assert ".execute-api." in text(origin["DomainName"])
    assert origin["CustomOriginConfig"] == {
        "OriginProtocolPolicy": "https-only",
        "OriginReadTimeout": 30,
        "OriginSSLProtocols": ["TLSv1.2"],
    }


def test_the_paths_that_other_systems_clients_call_are_the_apis(small: Templates) -> None:
    api = behavior(small, "/v1/*")
    paths = {each["PathPattern"] for each in distribution(small)["CacheBehaviors"]} - {"/assets/*", "/v1/*"}
    assert paths == {
        "/sdapi/*",
        "/replicate/*",
        "/async_hander",
        "/task/*",
        "/upload_handler",
        "/config",
    }
    for path in paths:
        assert behavior(small, path) | {"PathPattern": "/v1/*"} == api
    assert len(distribution(small)["Origins"]) == 2


def test_no_error_of_the_api_is_kept_for_the_next_caller_or_replaced(small: Templates) -> None:
    responses = distribution(small)["CustomErrorResponses"]
    assert {403, 404, 500, 502, 503, 504} <= {each["ErrorCode"] for each in responses}
    assert all(each.keys() == {"ErrorCode", "ErrorCachingMinTTL"} for each in responses)
    assert {each["ErrorCachingMinTTL"] for each in responses} == {0}


def test_files_with_a_hash_are_cached_as_their_header_says_and_others_until_a_deployment(
    small: Templates,
) -> None:
    hashed = behavior(small, "/assets/*")
    assert hashed["CachePolicyId"] == "658327ea-f89d-4fab-a63d-7e88639e58f6"  # Managed-CachingOptimized
    web = small.by_stack["Web"]
    (policy,) = web.find_resources("AWS::CloudFront::CachePolicy")
    other = distribution(small)["DefaultCacheBehavior"]
    assert other["CachePolicyId"] == {"Ref": policy}
    times = only(web, "AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
    assert {times[f"{name}TTL"] for name in ("Min", "Default", "Max")} == {86_400}
    for files in (hashed, other):
        assert files["Compress"] is True
        assert files["ViewerProtocolPolicy"] == "redirect-to-https"


def sent_headers(templates: Templates) -> dict[str, Any]:
    """The headers of the page's files, as CloudFront sends them."""
    config = only(templates.by_stack["Web"], "AWS::CloudFront::ResponseHeadersPolicy")[
        "ResponseHeadersPolicyConfig"
    ]
    security = config["SecurityHeadersConfig"]
    assert all(each["Override"] for each in (*security.values(), *config["CustomHeadersConfig"]["Items"]))
    return {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "X-Content-Type-Options": "nosniff" if "ContentTypeOptions" in security else None,
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "Strict-Transport-Security": (
            f"max-age={security['StrictTransportSecurity']['AccessControlMaxAgeSec']}"
        ),
        **{each["Header"]: each["Value"] for each in config["CustomHeadersConfig"]["Items"]},
    }


def policy_text(value: Any) -> str:
    """A resolved policy, with the data bucket's host as `data` and the pseudo parameters as their names."""
    match value:
        case {"Fn::Join": [_, parts]}:
            return "".join(map(policy_text, parts))
        case {"Fn::ImportValue": name}:
            assert "StorageData" in name
            assert "RegionalDomainName" in name
            return "data"
        case {"Ref": name}:
            return str(name)
        case _:
            return str(value)


def test_the_headers_are_those_of_the_contract(small: Templates, named: Templates) -> None:
    for templates, origins in (
        (small, ["https://data"]),
        (named, ["https://data", "https://team-results.s3.AWS::Region.AWS::URLSuffix"]),
    ):
        headers = sent_headers(templates)
        headers["Content-Security-Policy"] = policy_text(headers["Content-Security-Policy"])
        assert headers == page_headers(origins, None, https=True)
        (policy,) = templates.by_stack["Web"].find_resources("AWS::CloudFront::ResponseHeadersPolicy")
        for files in (distribution(templates)["DefaultCacheBehavior"], behavior(templates, "/assets/*")):
            assert files["ResponseHeadersPolicyId"] == {"Ref": policy}
        assert "ResponseHeadersPolicyId" not in behavior(templates, "/v1/*")


def test_without_a_domain_the_address_is_a_name_of_cloudfront(small: Templates) -> None:
    web = small.by_stack["Web"]
    (created,) = web.find_resources("AWS::CloudFront::Distribution")
    url = web.find_outputs("WebUrl")["WebUrl"]["Value"]
    assert url == {"Fn::Join": ["", ["https://", {"Fn::GetAtt": [created, "DomainName"]}]]}
    assert not {"Aliases", "ViewerCertificate"} & distribution(small).keys()
    assert web.find_outputs("WebDomainTarget") == {}
    web.resource_count_is("AWS::Route53::RecordSet", 0)


def test_a_domain_has_its_certificate_recent_tls_and_records(named: Templates) -> None:
    config = distribution(named)
    assert config["Aliases"] == ["page.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": CERTIFICATE,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    web = named.by_stack["Web"]
    assert web.find_outputs("WebUrl")["WebUrl"]["Value"] == "https://page.example.com"
    (created,) = web.find_resources("AWS::CloudFront::Distribution")
    host = {"Fn::GetAtt": [created, "DomainName"]}
    assert web.find_outputs("WebDomainTarget")["WebDomainTarget"]["Value"] == host
    records = [each["Properties"] for each in web.find_resources("AWS::Route53::RecordSet").values()]
    assert {each["Type"] for each in records} == {"A", "AAAA"}
    for record in records:
        assert (record["Name"], record["HostedZoneId"]) == ("page.example.com", "Z0123456789ABC")
        assert record["AliasTarget"] == {"DNSName": host, "HostedZoneId": "Z2FDTNDATAQYW2"}


def test_a_domain_without_a_known_zone_has_no_records() -> None:
    domain = {name: value for name, value in DOMAIN.items() if name != "hosted_zone_id"}
    web = synthesize(SMALL | {"web": {"domain": domain}}).by_stack["Web"]
    web.resource_count_is("AWS::Route53::RecordSet", 0)


def test_names_in_the_account_differ_between_regions(small: Templates) -> None:
    web = small.by_stack["Web"]
    for kind in ("OriginAccessControl", "ResponseHeadersPolicy", "CachePolicy"):
        properties = only(web, f"AWS::CloudFront::{kind}")
        assert properties[f"{kind}Config"]["Name"] == {
            "Fn::Join": ["", ["StableDiffusion-test-Web-", {"Ref": "AWS::Region"}]]
        }
