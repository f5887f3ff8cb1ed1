"""Origins of S3 in the page's policy, and CORS of the data bucket."""

from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_s3 as s3
from botocore.config import Config

from contract.s3_hosts import S3_HOSTS
from infra.browser_storage import storage_origins
from tests.infra.conftest import SMALL, Templates, synthesize

DOMAIN = {
    "name": "page.example.com",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0a",
}


def cors(templates: Templates) -> dict[str, Any]:
    """The CORS rules of the buckets that have any."""
    return {
        name: bucket["Properties"]["CorsConfiguration"]["CorsRules"]
        for name, bucket in templates.storage.find_resources("AWS::S3::Bucket").items()
        if "CorsConfiguration" in bucket["Properties"]
    }


def allowed(templates: Templates) -> list[str]:
    ((name, (rule,)),) = cors(templates).items()
    assert name.startswith("StorageData")
    return list(rule["AllowedOrigins"])


def test_pages_may_read_and_upload_and_see_the_version_of_what_they_read(small: Templates) -> None:
    ((_, (rule,)),) = cors(small).items()
    assert rule == {
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedOrigins": ["https://*.cloudfront.net"],
        "ExposedHeaders": ["ETag"],
        "MaxAge": 3600,
    }


def test_a_page_with_a_name_of_its_own_is_the_only_one() -> None:
    assert allowed(synthesize(SMALL | {"web": {"domain": DOMAIN}})) == ["https://page.example.com"]


def test_pages_on_the_origins_that_may_call_the_api_may_use_its_links() -> None:
    other = "https://other.example.com"
    api = {"api": {"allowed_origins": [other, "https://page.example.com"]}}
    assert allowed(synthesize(SMALL | api | {"web": {"domain": DOMAIN}})) == [
        "https://page.example.com",
        other,
    ]
    assert allowed(synthesize(SMALL | api | {"web": None})) == [other, "https://page.example.com"]


def test_without_pages_there_are_no_rules(large: Templates) -> None:
    assert cors(large) == {}


@pytest.mark.parametrize("bucket", ["team-results", "team.results.2026"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_the_origins_are_those_of_the_links_that_botocore_signs(bucket: str, region: str) -> None:
    stack = Stack(App(), "Stack", env=Environment(account="123456789012", region=region))
    prefixes = [f"s3://{bucket}/a/", f"s3://{bucket}/b/"]
    _, origin = stack.resolve(storage_origins(s3.Bucket(stack, "Data"), prefixes))
    client: Any = boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - not a secret
        config=Config(signature_version="s3v4", s3=S3_HOSTS),
    )
    link = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a/image.png"})
    assert link.startswith(f"{deployed(origin, region).removesuffix('/')}/a/image.png?")


def deployed(value: Any, region: str) -> str:
    """A text with the values of a region in the partition aws."""
    match value:
        case {"Fn::Join": [_, parts]}:
            return "".join(deployed(part, region) for part in parts)
        case {"Ref": name}:
            return {"AWS::URLSuffix": "amazonaws.com", "AWS::Region": region}[name]
        case _:
            return str(value)
